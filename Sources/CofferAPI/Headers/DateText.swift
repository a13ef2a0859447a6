package import CofferModel

/// Dates put into a template: one copy of the template, then the digits where they belong.
extension [UInt8] {
    private static let moment = Array("0000-00-00T00:00:00.000000000Z".utf8)
    private static let httpDate = Array("Sun, 00 Jan 0000 00:00:00 GMT".utf8)
    private static let days = Array("SunMonTueWedThuFriSat".utf8)
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

    /// Appends `time` as RFC 3339 writes it, as ``Timestamp/description`` does.
    package mutating func appendTime(_ time: Timestamp) {
        let seconds = time.seconds
        let civil = CivilTime(secondsSinceEpoch: seconds)
        let start = count
        append(contentsOf: Self.moment)
        var text = mutableSpan
        text.put(civil.year, digits: 4, at: start)
        text.put(civil.month, digits: 2, at: start + 5)
        text.put(civil.day, digits: 2, at: start + 8)
        text.put(civil, at: start + 11)
        let fraction = Int(time.nanoseconds &- seconds &* 1_000_000_000)
        // A fraction is written in full groups of three digits, and none is where there are whole seconds.
        let digits = fraction == 0 ? 0 : fraction % 1_000_000 == 0 ? 3 : fraction % 1000 == 0 ? 6 : 9
        if digits == 9 { return text.put(fraction, digits: 9, at: start + 20) }
        let end = start + 19 + (digits == 0 ? 0 : digits + 1)
        if digits > 0 { text.put(digits == 3 ? fraction / 1_000_000 : fraction / 1000, digits: digits, at: start + 20) }
        text[end] = UInt8(ascii: "Z")
        removeLast(count - end - 1)
    }

    /// Appends `time` as IMF-fixdate (RFC 9110, section 5.6.7), in whole seconds.
    package mutating func appendHTTPDate(_ time: Timestamp) {
        let civil = CivilTime(secondsSinceEpoch: time.seconds)
        let start = count
        append(contentsOf: Self.httpDate)
        var text = mutableSpan
        for letter in 0..<3 {
            text[start + letter] = Self.days[3 * civil.weekday + letter]
            text[start + 8 + letter] = Self.months[3 * (civil.month - 1) + letter]
        }
        text.put(civil.day, digits: 2, at: start + 5)
        text.put(civil.year, digits: 4, at: start + 12)
        text.put(civil, at: start + 17)
    }
}

extension MutableSpan<UInt8> {
    /// Writes the last `digits` decimal digits of `value`.
    fileprivate mutating func put(_ value: Int, digits: Int, at start: Int) {
        var rest = UInt32(truncatingIfNeeded: value)
        var place = start + digits
        while place > start {
            place -= 1
            let tens = rest / 10
            self[place] = UInt8(truncatingIfNeeded: 0x30 + rest - 10 * tens)
            rest = tens
        }
    }

    /// Writes hours, minutes and seconds, with a byte between them that stays.
    fileprivate mutating func put(_ civil: CivilTime, at start: Int) {
        put(civil.hour, digits: 2, at: start)
        put(civil.minute, digits: 2, at: start + 3)
        put(civil.second, digits: 2, at: start + 6)
    }
}
