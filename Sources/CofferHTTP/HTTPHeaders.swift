/// The fields of a head or of trailers, in their order.
///
/// All text lies in one piece, as it came; a string is made of a value when somebody asks for it.
package struct HTTPHeaders: Sendable {
    private var text: [UInt8] = []
    private var slots: [Slot] = []

    /// A name and its value.
    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Where a name and its value lie in the text.
    struct Slot: Sendable {
        var name: UInt32
        var nameLength: UInt32
        var value: UInt32
        var valueLength: UInt32
    }

    package init() {}

    /// Takes over text in which fields were found already.
    init(text: [UInt8], slots: [Slot]) {
        self.text = text
        self.slots = slots
    }

    /// How many fields there are.
    package var count: Int { slots.count }

    /// Whether there are none.
    package var isEmpty: Bool { slots.isEmpty }

    /// The value of the first field called `name`, which is given in lower case.
    package subscript(name: String) -> String? {
        for slot in slots where slot.nameLength == name.utf8.count && isCalled(slot, name) { return value(slot) }
        return nil
    }

    /// Whether there is a field called `name`, which is given in lower case.
    package func has(_ name: String) -> Bool {
        for slot in slots where slot.nameLength == name.utf8.count && isCalled(slot, name) { return true }
        return false
    }

    /// The values of all fields called `name`, which is given in lower case.
    package func all(_ name: String) -> [String] {
        slots.filter { $0.nameLength == name.utf8.count && isCalled($0, name) }.map(value)
    }

    /// Appends a field.
    ///
    /// What must not stand in a head is made harmless when it is written.
    package mutating func add(_ name: String, _ value: String) {
        let start = beginField(name)
        appendText(value)
        endField(start, nameLength: name.utf8.count)
    }

    /// Appends a field whose value `write` appends to the text, without a string; none if it appends nothing.
    package mutating func add(_ name: String, writing write: (inout [UInt8]) -> Void) {
        let start = beginField(name)
        let middle = text.count
        write(&text)
        if text.count > middle {
            endField(start, nameLength: middle - start)
        } else {
            text.removeLast(middle - start)
        }
    }

    /// Makes room for `fields` more of about `bytes` in all.
    package mutating func reserve(fields: Int, bytes: Int) {
        slots.reserveCapacity(slots.count + fields)
        text.reserveCapacity(text.count + bytes)
    }

    private mutating func beginField(_ name: String) -> Int {
        let start = text.count
        appendText(name)
        return start
    }

    private mutating func appendText(_ string: String) {
        var string = string
        string.withUTF8 { text.append(contentsOf: $0) }
    }

    private mutating func endField(_ start: Int, nameLength: Int) {
        slots.append(
            Slot(
                name: UInt32(start),
                nameLength: UInt32(nameLength),
                value: UInt32(start + nameLength),
                valueLength: UInt32(text.count - start - nameLength)
            )
        )
    }

    private func value(_ slot: Slot) -> String { string(slot.value, slot.valueLength) }

    private func string(_ start: UInt32, _ length: UInt32) -> String {
        String(decoding: text[Int(start)..<Int(start + length)], as: UTF8.self)
    }

    private func isCalled(_ slot: Slot, _ lowercased: String) -> Bool {
        var position = Int(slot.name)
        for wanted in lowercased.utf8 {
            let sent = text[position]
            guard (sent >= 0x41 && sent <= 0x5A ? sent | 0x20 : sent) == wanted else { return false }
            position += 1
        }
        return true
    }

    /// Calls `body` with each name and value as bytes, without making strings.
    func forEachField(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        text.withUnsafeBytes { bytes in
            for slot in slots {
                let name = Int(slot.name)
                let value = Int(slot.value)
                body(
                    UnsafeRawBufferPointer(rebasing: bytes[name..<name + Int(slot.nameLength)]),
                    UnsafeRawBufferPointer(rebasing: bytes[value..<value + Int(slot.valueLength)])
                )
            }
        }
    }
}

extension HTTPHeaders: Sequence {
    package func makeIterator() -> some IteratorProtocol<Field> {
        slots.lazy.map { Field(name: string($0.name, $0.nameLength), value: value($0)) }.makeIterator()
    }
}

extension HTTPHeaders: Hashable {
    package static func == (left: HTTPHeaders, right: HTTPHeaders) -> Bool { left.elementsEqual(right) }

    package func hash(into hasher: inout Hasher) {
        for field in self { hasher.combine(field) }
    }
}
