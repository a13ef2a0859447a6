package import CofferModel

/// Dates as HTTP writes them (RFC 9110, section 5.6.7), in whole seconds since the Unix epoch.
package enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `time` as IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func format(_ time: Timestamp) -> String {
        var bytes: [UInt8] = []
        bytes.appendHTTPDate(time)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The moment that `text` names in one of HTTP's three forms; nil where it is none.
    package static func parse(_ text: String) -> Timestamp? {
        var parts = text.split { $0 == " " || $0 == "-" || $0 == "," }
        // `Sun Nov  6 08:49:37 1994` becomes the order of the others: `Sun 6 Nov 1994 08:49:37 GMT`.
        if parts.count == 5 { parts = [parts[0], parts[2], parts[1], parts[4], parts[3], "GMT"] }
        guard parts.count == 6, parts[5] == "GMT", let day = number(parts[1]),
            let month = months.firstIndex(where: { $0 == parts[2] }), var year = number(parts[3])
        else { return nil }
        if parts[3].utf8.count == 2 { year += year < 70 ? 2000 : 1900 }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let hour = number(clock[0]), let minute = number(clock[1]),
            let second = number(clock[2]), (1...31).contains(day), hour < 24, minute < 60, second <= 60,
            (1678...2261).contains(year)
        else { return nil }
        let seconds = CivilTime.secondsSinceEpoch(
            year: year,
            month: month + 1,
            day: day,
            hour: hour,
            minute: minute,
            second: second
        )
        return Timestamp(nanoseconds: seconds * 1_000_000_000)
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), text.utf8.count <= 4 else {
            return nil
        }
        return Int(text)
    }
}
