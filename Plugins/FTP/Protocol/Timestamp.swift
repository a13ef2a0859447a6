// Times as FTP writes them: YYYYMMDDHHMMSS in UTC, maybe with a fraction (RFC 3659, section 2.3).

/// Unix nanoseconds and the texts that stand for them.
enum Timestamp {
    /// Reads `YYYYMMDDHHMMSS` with an optional fraction; nil if it is no time.
    static func parse(_ text: some Collection<UInt8>) -> Int64? {
        let bytes = Array(text)
        guard bytes.count >= 14, let numbers = digits(bytes[..<14]) else { return nil }
        func number(_ start: Int, _ count: Int) -> Int {
            numbers[start..<(start + count)].reduce(0) { $0 * 10 + $1 }
        }
        let seconds = seconds(
            year: number(0, 4),
            month: number(4, 2),
            day: number(6, 2),
            second: number(8, 2) * 3600 + number(10, 2) * 60 + min(number(12, 2), 60)
        )
        guard let seconds, var time = nanoseconds(seconds) else { return nil }
        guard bytes.count > 14 else { return time }
        guard bytes[14] == UInt8(ascii: "."), bytes.count > 15, let fraction = digits(bytes[15...]) else { return nil }
        var unit: Int64 = 100_000_000
        for digit in fraction.prefix(9) {
            time += Int64(digit) * unit
            unit /= 10
        }
        return time
    }

    /// Unix nanoseconds; nil before 1678 and after 2261, which 64 bits do not hold.
    static func nanoseconds(_ seconds: Int64) -> Int64? {
        (-9_200_000_000..<9_200_000_000).contains(seconds) ? seconds * 1_000_000_000 : nil
    }

    /// Writes the whole second that holds a moment; nil where no such text exists.
    static func text(of nanoseconds: Int64) -> [UInt8]? {
        let seconds = floorDivide(nanoseconds, 1_000_000_000)
        let day = floorDivide(seconds, 86400)
        let rest = Int(seconds - day * 86400)
        let date = civil(day)
        guard (1...9999).contains(date.year) else { return nil }
        func padded(_ number: Int, _ width: Int) -> [UInt8] {
            let digits = Array(String(number).utf8)
            return Array(repeating: 0x30, count: max(0, width - digits.count)) + digits
        }
        return padded(date.year, 4) + padded(date.month, 2) + padded(date.day, 2) + padded(rest / 3600, 2)
            + padded(rest / 60 % 60, 2) + padded(rest % 60, 2)
    }

    /// The Unix seconds of a second of a day; nil if there is no such day.
    static func seconds(year: Int, month: Int, day: Int, second: Int) -> Int64? {
        guard (1601...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...86400).contains(second)
        else { return nil }
        // Counted from a March, so that the day that is not always there comes last.
        let (y, m) = (month > 2 ? year : year - 1, month > 2 ? month - 3 : month + 9)
        let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1
        return Int64(days - 719_468) * 86400 + Int64(second)
    }

    /// The year, month and day that is so many days after 1970-01-01.
    static func civil(_ day: Int64) -> (year: Int, month: Int, day: Int) {
        let days = day + 719_468
        let era = floorDivide(days, 146_097)
        let inEra = Int(days - era * 146_097)
        let yearOfEra = (inEra - inEra / 1460 + inEra / 36524 - inEra / 146_096) / 365
        let inYear = inEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (inYear * 5 + 2) / 153
        return (
            year: Int(era) * 400 + yearOfEra + (month >= 10 ? 1 : 0),
            month: month < 10 ? month + 3 : month - 9,
            day: inYear - (month * 153 + 2) / 5 + 1
        )
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
        value >= 0 ? value / by : (value - by + 1) / by
    }

    private static func digits(_ bytes: ArraySlice<UInt8>) -> [Int]? {
        var digits: [Int] = []
        for byte in bytes {
            guard (0x30...0x39).contains(byte) else { return nil }
            digits.append(Int(byte - 0x30))
        }
        return digits
    }
}
