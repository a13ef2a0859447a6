/// Finds the fields of a head or of trailers.
///
/// Strict where leniency lets two parties read one message differently: no blank before the colon, no continued line,
/// no bare CR or LF, no control character.
struct FieldParser {
    private let base: UnsafePointer<UInt8>
    private let end: Int
    private let classes = ByteClass.table
    private(set) var position: Int
    private(set) var slots: [HTTPHeaders.Slot] = []

    /// Reads `bytes[start...]`, whose last line must be empty and end with CRLF.
    init(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) {
        self.base = base
        self.end = end
        position = start
        slots.reserveCapacity(12)
    }

    /// The next field, or nil after the empty line.
    ///
    /// Offsets in ``slots`` count from `origin`.
    mutating func next(limit: Int, origin: Int) throws(HTTPFault) -> (name: Bytes, value: Bytes)? {
        var at = position
        guard at < end else { throw HTTPFault(400, "the fields have no end") }
        if base[at] == 0x0D {
            guard at + 1 < end && base[at + 1] == 0x0A else { throw HTTPFault(400, "bare CR in a head") }
            position = at + 2
            return nil
        }
        let nameStart = at
        while at < end && classes[Int(base[at])] & ByteClass.token.rawValue != 0 { at += 1 }
        guard at < end && at > nameStart && base[at] == 0x3A else { throw nameFault(nameStart, at) }
        let name = Bytes(base: base + nameStart, count: at - nameStart)
        at += 1
        while at < end && (base[at] == 0x20 || base[at] == 0x09) { at += 1 }
        let valueStart = at
        while at < end && classes[Int(base[at])] & ByteClass.value.rawValue != 0 { at += 1 }
        guard at + 1 < end && base[at] == 0x0D && base[at + 1] == 0x0A else {
            throw HTTPFault(400, "a control character in a field's value")
        }
        var valueEnd = at
        while valueEnd > valueStart && (base[valueEnd - 1] == 0x20 || base[valueEnd - 1] == 0x09) { valueEnd -= 1 }
        guard slots.count < limit else { throw HTTPFault(431, "too many fields") }
        slots.append(
            HTTPHeaders.Slot(
                name: UInt32(nameStart - origin),
                nameLength: UInt32(name.count),
                value: UInt32(valueStart - origin),
                valueLength: UInt32(valueEnd - valueStart)
            )
        )
        position = at + 2
        return (name, Bytes(base: base + valueStart, count: valueEnd - valueStart))
    }

    private func nameFault(_ start: Int, _ at: Int) -> HTTPFault {
        guard at < end else { return HTTPFault(400, "a field without a colon") }
        switch base[at] {
        case 0x20, 0x09:
            return HTTPFault(400, at == start ? "a field continued on a second line" : "a blank in a field's name")
        case 0x3A: return HTTPFault(400, "a field without a name")
        case 0x0D: return HTTPFault(400, "a field without a colon")
        default: return HTTPFault(400, "a field's name with a character that no name has")
        }
    }
}
