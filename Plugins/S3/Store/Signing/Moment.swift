// Moments in the forms of S3: those of signatures, of HTTP heads, of XML answers and of credential files.

/// A moment, in Unix nanoseconds.
package struct Moment: Sendable, Hashable, Comparable {
    /// Unix nanoseconds.
    package var nanoseconds: Int64

    /// A moment by its Unix nanoseconds.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// A moment by its Unix seconds.
    package init(seconds: Int64) { nanoseconds = seconds &* 1_000_000_000 }

    /// Unix seconds, rounded down.
    package var seconds: Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The same moment without its fraction of a second.
    package var wholeSeconds: Moment { Moment(seconds: seconds) }

    /// The earlier comes first.
    package static func < (left: Moment, right: Moment) -> Bool { left.nanoseconds < right.nanoseconds }

    /// `20130524T000000Z`, as signatures want it; its first eight bytes are the day.
    package var basic: [UInt8] {
        let day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        let time = seconds - day * 86400
        let date = Self.date(ofDay: day)
        var result: [UInt8] = []
        result.reserveCapacity(16)
        Self.append(date.year, 4, to: &result)
        Self.append(date.month, 2, to: &result)
        Self.append(date.day, 2, to: &result)
        result.append(UInt8(ascii: "T"))
        Self.append(time / 3600, 2, to: &result)
        Self.append(time / 60 % 60, 2, to: &result)
        Self.append(time % 60, 2, to: &result)
        result.append(UInt8(ascii: "Z"))
        return result
    }

    /// Reads `2009-10-12T17:50:30.000Z` with any fraction, or `20091012T175030Z`, with `Z` or an offset.
    package init?(iso text: some Sequence<UInt8>) {
        var reader = Reader(text)
        guard let year = reader.number(4) else { return nil }
        let isExtended = reader.take(UInt8(ascii: "-"))
        guard let month = reader.number(2), !isExtended || reader.take(UInt8(ascii: "-")), let day = reader.number(2),
            reader.take(UInt8(ascii: "T")) || reader.take(0x20), let hour = reader.number(2),
            !isExtended || reader.take(UInt8(ascii: ":")), let minute = reader.number(2),
            !isExtended || reader.take(UInt8(ascii: ":")), let second = reader.number(2)
        else { return nil }
        let fraction = reader.take(UInt8(ascii: ".")) ? reader.fraction() : 0
        guard let offset = reader.zone(), reader.isAtEnd else { return nil }
        self.init(year, month, day, hour, minute, second, offset: offset, fraction: fraction)
    }

    /// Reads `Wed, 12 Oct 2009 17:50:00 GMT`, as HTTP heads have it.
    package init?(http text: some Sequence<UInt8>) {
        var reader = Reader(text)
        guard reader.skip(past: 0x2C), reader.take(0x20), let day = reader.number(2), reader.take(0x20),
            let month = reader.month(), reader.take(0x20), let year = reader.number(4), reader.take(0x20),
            let hour = reader.number(2), reader.take(UInt8(ascii: ":")), let minute = reader.number(2),
            reader.take(UInt8(ascii: ":")), let second = reader.number(2), reader.take(0x20), reader.take("GMT"),
            reader.isAtEnd
        else { return nil }
        self.init(year, month, day, hour, minute, second, offset: 0, fraction: 0)
    }

    private init?(
        _ year: Int64,
        _ month: Int64,
        _ day: Int64,
        _ hour: Int64,
        _ minute: Int64,
        _ second: Int64,
        offset: Int64,
        fraction: Int64
    ) {
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61,
            (1678...2261).contains(year)
        else { return nil }
        let seconds = Self.day(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
        self.init(nanoseconds: seconds * 1_000_000_000 + fraction)
    }

    /// Days since 1970 in the Gregorian calendar, counted in years that begin in March.
    private static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(ofDay number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    private static func append(_ number: Int64, _ digits: Int, to result: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            result.append(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// Reads the fixed fields of a date.
    private struct Reader {
        private let bytes: [UInt8]
        private var at = 0

        init(_ text: some Sequence<UInt8>) { bytes = Array(text) }

        var isAtEnd: Bool { at == bytes.count }

        mutating func take(_ byte: UInt8) -> Bool {
            guard at < bytes.count, bytes[at] == byte else { return false }
            at += 1
            return true
        }

        mutating func take(_ word: StaticString) -> Bool {
            let wanted = word.description.utf8
            guard bytes[at...].starts(with: wanted) else { return false }
            at += wanted.count
            return true
        }

        mutating func skip(past byte: UInt8) -> Bool {
            guard let found = bytes[at...].firstIndex(of: byte) else { return false }
            at = found + 1
            return true
        }

        mutating func number(_ digits: Int) -> Int64? {
            guard at + digits <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[at..<at + digits] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            at += digits
            return value
        }

        mutating func fraction() -> Int64 {
            var value: Int64 = 0
            var unit: Int64 = 100_000_000
            while at < bytes.count, (0x30...0x39).contains(bytes[at]) {
                value += Int64(bytes[at] - 0x30) * unit
                unit /= 10
                at += 1
            }
            return value
        }

        /// Seconds east of Greenwich.
        mutating func zone() -> Int64? {
            if take(UInt8(ascii: "Z")) { return 0 }
            let isWest = take(UInt8(ascii: "-"))
            guard isWest || take(UInt8(ascii: "+")), let hours = number(2) else { return nil }
            _ = take(UInt8(ascii: ":"))
            guard let minutes = number(2) else { return nil }
            return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
        }

        mutating func month() -> Int64? {
            let names: [StaticString] = [
                "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
            ]
            for (index, name) in names.enumerated() where take(name) { return Int64(index + 1) }
            return nil
        }
    }
}
