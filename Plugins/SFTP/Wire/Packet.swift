// Building a packet: length, type, request number, then the fields in the order of the protocol.

/// A packet on its way out.
package struct Packet: Sendable {
    /// The bytes so far, with room for the length in front.
    private var bytes: [UInt8]

    /// A request of a type, with its number.
    package init(_ type: UInt8, id: UInt32) {
        bytes = [0, 0, 0, 0, type]
        bytes.reserveCapacity(64)
        number(id)
    }

    /// A request of an extension.
    package init(extension name: String, id: UInt32) {
        self.init(PacketType.extended, id: id)
        string(Array(name.utf8))
    }

    /// The first packet of all, which has no number.
    package static func initialize(version: UInt32) -> [UInt8] {
        var packet = Packet(PacketType.initialize, id: version)
        return packet.finish()
    }

    /// Appends a number of 32 bits.
    package mutating func number(_ value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Appends a number of 64 bits.
    package mutating func wide(_ value: UInt64) {
        number(UInt32(truncatingIfNeeded: value >> 32))
        number(UInt32(truncatingIfNeeded: value))
    }

    /// Appends bytes behind their length: nothing in them can be taken for anything else.
    package mutating func string(_ value: some Collection<UInt8>) {
        number(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// Appends attributes.
    package mutating func attributes(_ attributes: Attributes) {
        number(attributes.flags)
        if let size = attributes.size { wide(size) }
        if let permissions = attributes.permissions { number(permissions) }
        if let modified = attributes.modified {
            number(attributes.accessed ?? modified)
            number(modified)
        }
    }

    /// The whole packet; `following` bytes of its last field come behind it from elsewhere.
    package mutating func finish(following: Int = 0) -> [UInt8] {
        let length = UInt32(bytes.count - 4 + following)
        for (index, shift) in ([24, 16, 8, 0] as [UInt32]).enumerated() {
            bytes[index] = UInt8(truncatingIfNeeded: length >> shift)
        }
        return bytes
    }
}
