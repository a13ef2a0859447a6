/// What a byte may be part of in a head: one look-up instead of a chain of comparisons.
struct ByteClass: OptionSet {
    let rawValue: UInt8

    /// Names of fields and methods.
    static let token = ByteClass(rawValue: 1)
    /// Values of fields: anything but control characters, and the tab.
    static let value = ByteClass(rawValue: 2)
    /// Request targets: visible characters, and what may be UTF-8.
    static let target = ByteClass(rawValue: 4)

    /// The classes of all 256 bytes.
    ///
    /// Written once, before anybody can see it.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        let marks = Array("!#$%&'*+-.^_`|~".utf8)
        for byte in UInt8.min...UInt8.max {
            var classes: ByteClass = []
            let isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A
            let isDigit = byte >= 0x30 && byte <= 0x39
            if isLetter || isDigit || marks.contains(byte) { classes.insert(.token) }
            if byte == 0x09 || (byte >= 0x20 && byte != 0x7F) { classes.insert(.value) }
            if byte > 0x20 && byte != 0x7F { classes.insert(.target) }
            table[Int(byte)] = classes.rawValue
        }
        return UnsafePointer(table)
    }()
}

/// A piece of a head, to be compared without making a string of it.
struct Bytes {
    let base: UnsafePointer<UInt8>
    let count: Int

    /// Whether it is `lowercased`, in whatever case it was sent.
    @inline(__always)
    func isWord(_ lowercased: StaticString) -> Bool {
        guard count == lowercased.utf8CodeUnitCount else { return false }
        let wanted = lowercased.utf8Start
        for index in 0..<count {
            let sent = base[index]
            guard (sent >= 0x41 && sent <= 0x5A ? sent | 0x20 : sent) == wanted[index] else { return false }
        }
        return true
    }

    /// The same, for a name that is known only at run time.
    func isWord(_ lowercased: [UInt8]) -> Bool {
        guard count == lowercased.count else { return false }
        for index in 0..<count {
            let sent = base[index]
            guard (sent >= 0x41 && sent <= 0x5A ? sent | 0x20 : sent) == lowercased[index] else { return false }
        }
        return true
    }

    /// A decimal number without sign or blank; nil if it is none or too large.
    var number: Int64? {
        guard count >= 1 && count <= 19 else { return nil }
        var value: Int64 = 0
        for index in 0..<count {
            let digit = base[index] &- 0x30
            guard digit <= 9 else { return nil }
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int64(digit))
            guard !overflow && !carry else { return nil }
            value = sum
        }
        return value
    }

    /// The members of a comma-separated list, without blanks around them, until `body` says false.
    func forEachMember(_ body: (Bytes) -> Void) {
        var start = 0
        while start <= count {
            var end = start
            while end < count && base[end] != 0x2C { end += 1 }
            var first = start
            var last = end
            while first < last && (base[first] == 0x20 || base[first] == 0x09) { first += 1 }
            while last > first && (base[last - 1] == 0x20 || base[last - 1] == 0x09) { last -= 1 }
            if first < last { body(Bytes(base: base + first, count: last - first)) }
            start = end + 1
        }
    }
}
