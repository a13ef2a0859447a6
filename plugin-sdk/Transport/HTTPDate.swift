// Dates as HTTP and the stores' documents write them.

/// Dates of HTTP and of the stores' documents, in Unix nanoseconds.
public enum HTTPDate {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let dayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    /// Reads the three forms of RFC 9110 (`Sun, 06 Nov 1994 08:49:37 GMT` and its elders), nil if it is none.
    public static func parse(_ text: String) -> Int64? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        // Sun 06 Nov 1994 08:49:37 GMT | Sunday 06 Nov 94 08:49:37 GMT | Sun Nov 6 08:49:37 1994
        guard words.count >= 5 else { return nil }
        let isOldest = Int(words[1]) == nil
        guard let day = Int(words[isOldest ? 2 : 1]),
            let month = months.firstIndex(of: words[isOldest ? 1 : 2].lowercased()),
            var year = Int(words[isOldest ? 4 : 3]),
            let seconds = secondsOfDay(words[isOldest ? 3 : 4])
        else { return nil }
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        return moment(year, month + 1, day, seconds)
    }

    /// Reads ISO 8601 as stores write it: `2024-05-06T07:08:09.123Z` or with `+02:00`; nil if it is none.
    public static func parseISO8601(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t") || bytes[10] == 0x20,
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let seconds = secondsOfDay(String(decoding: bytes[11..<19], as: UTF8.self)),
            let whole = moment(year, month, day, seconds)
        else { return nil }
        var at = 19
        var fraction: Int64 = 0
        if bytes[at] == UInt8(ascii: ".") || bytes[at] == UInt8(ascii: ",") {
            var scale: Int64 = 100_000_000
            at += 1
            while at < bytes.count, (0x30...0x39).contains(bytes[at]) {
                fraction += Int64(bytes[at] - 0x30) * scale
                scale /= 10
                at += 1
            }
        }
        guard at < bytes.count, let offset = offset(bytes[at...]) else { return nil }
        return whole + fraction - offset * 1_000_000_000
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static func format(_ nanoseconds: Int64) -> String {
        let (days, rest) = split(nanoseconds)
        let (year, month, day) = civil(days)
        let name = dayNames[Int(((days % 7) + 7) % 7)]
        return "\(name), \(two(day)) \(monthNames[month - 1]) \(four(year)) \(clock(rest, ":")) GMT"
    }

    /// `20240506T070809Z`, as AWS signatures want it.
    public static func formatBasic(_ nanoseconds: Int64) -> String {
        let (days, rest) = split(nanoseconds)
        let (year, month, day) = civil(days)
        return "\(four(year))\(two(month))\(two(day))T\(clock(rest, ""))Z"
    }

    // MARK: parts

    private static func split(_ nanoseconds: Int64) -> (days: Int64, seconds: Int64) {
        let seconds = nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
        let days = seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0)
        return (days, seconds - days * 86_400)
    }

    private static func clock(_ seconds: Int64, _ mark: String) -> String {
        "\(two(Int(seconds / 3600)))\(mark)\(two(Int(seconds / 60 % 60)))\(mark)\(two(Int(seconds % 60)))"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    private static func four(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 4 - "\(number)".utf8.count)) + "\(number)"
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func secondsOfDay(_ text: String) -> Int64? {
        let parts = text.split(separator: ":").map { Int64($0) }
        guard parts.count == 3, let hours = parts[0], let minutes = parts[1], let seconds = parts[2],
            (0..<24).contains(hours), (0..<60).contains(minutes), (0...60).contains(seconds)
        else { return nil }
        return hours * 3600 + minutes * 60 + seconds
    }

    /// Seconds east of Greenwich: `Z`, `+02:00`, `-0530`.
    private static func offset(_ zone: ArraySlice<UInt8>) -> Int64? {
        guard let sign = zone.first else { return nil }
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return zone.count == 1 ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        let digits = zone.dropFirst().filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 4, let hours = number(digits[0..<2]), let minutes = number(digits[2..<4]) else {
            return nil
        }
        return Int64(hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }

    private static func moment(_ year: Int, _ month: Int, _ day: Int, _ seconds: Int64) -> Int64? {
        guard (1...12).contains(month), (1...31).contains(day), (1...9999).contains(year) else { return nil }
        let (value, overflow) = (days(year, month, day) * 86_400 + seconds).multipliedReportingOverflow(
            by: 1_000_000_000
        )
        return overflow ? nil : value
    }

    /// Days since 1970 of a date, and back: years begin in March, so that the leap day comes last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return Int64(era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468)
    }

    private static func civil(_ days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
