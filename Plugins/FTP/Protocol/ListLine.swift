// What servers without MLSD answer to LIST: lines for people, of two families.

import CofferPluginSDK

/// Reads the lines of LIST: those of `ls -l`, and those of `dir`.
///
/// Their times are in the server's own zone, to a minute or a day: taken for UTC, and only where MDTM tells nothing better.
struct ListLine {
    /// When the listing was asked for, in Unix seconds: a date without a year lies in the year before this moment.
    let now: Int64

    /// The facts and the name of a line; nil if it is none.
    func parse(_ line: ArraySlice<UInt8>) -> (facts: Facts, name: ArraySlice<UInt8>)? {
        guard let first = line.first else { return nil }
        return (0x30...0x39).contains(first) ? dos(line) : unix(line)
    }

    // MARK: ls -l

    /// `-rw-r--r--   1 owner group   1234 Nov 21 15:04 name`, with or without some of the middle.
    private func unix(_ line: ArraySlice<UInt8>) -> (facts: Facts, name: ArraySlice<UInt8>)? {
        let words = Self.words(line, most: 12)
        guard let mode = words.first, mode.count >= 10, words.count >= 5 else { return nil }
        var facts = Facts()
        switch line[mode.lowerBound] {
        case UInt8(ascii: "-"): facts.kind = .file
        case UInt8(ascii: "d"): facts.kind = .directory
        case UInt8(ascii: "l"), UInt8(ascii: "b"), UInt8(ascii: "c"), UInt8(ascii: "p"), UInt8(ascii: "s"): break
        default: return nil
        }
        // The date is what follows the first number that a date follows: owners and groups may be anything.
        for at in 2..<words.count {
            guard let size = FactLine.number(line[words[at - 1]]), let date = date(line, words[at...]) else { continue }
            let start = date.end + 1
            guard start < line.endIndex else { return nil }
            facts.size = facts.kind == .file ? size : -1
            facts.modified = date.seconds.flatMap(Timestamp.nanoseconds) ?? Entry.unknownTime
            return (facts, line[start...])
        }
        return nil
    }

    /// `Nov 21 15:04`, `Nov 21  2025`, `21 Nov 15:04` or `2026-11-21 15:04`, and where it ends.
    private func date(_ line: ArraySlice<UInt8>, _ words: ArraySlice<Range<Int>>) -> (seconds: Int64?, end: Int)? {
        guard let first = words.first, let second = words.dropFirst().first else { return nil }
        if line[first].count == 10, let day = Self.numbers(line[first], separator: 0x2D), day.count == 3 {
            guard let time = Self.time(line[second]) else { return nil }
            return (Timestamp.seconds(year: day[0], month: day[1], day: day[2], second: time), second.upperBound)
        }
        guard let third = words.dropFirst(2).first else { return nil }
        let named = Self.month(line[first]) != nil
        guard let month = Self.month(line[named ? first : second]),
            let day = FactLine.number(line[named ? second : first]), (1...31).contains(day)
        else { return nil }
        if let time = Self.time(line[third]) { return (recent(month, Int(day), time), third.upperBound) }
        guard line[third].count == 4, let year = FactLine.number(line[third]) else { return nil }
        return (Timestamp.seconds(year: Int(year), month: month, day: Int(day), second: 0), third.upperBound)
    }

    /// A date without a year: the latest such day that is not later than tomorrow, since zones differ.
    private func recent(_ month: Int, _ day: Int, _ second: Int) -> Int64? {
        let year = Timestamp.civil(now / 86400).year
        for candidate in [year + 1, year, year - 1] {
            guard let seconds = Timestamp.seconds(year: candidate, month: month, day: day, second: second) else {
                continue
            }
            if seconds <= now + 86400 { return seconds }
        }
        return nil
    }

    // MARK: dir

    /// `11-21-26  03:04PM       <DIR>          name` or `11-21-2026  03:04PM            1234 name`.
    private func dos(_ line: ArraySlice<UInt8>) -> (facts: Facts, name: ArraySlice<UInt8>)? {
        let words = Self.words(line, most: 4)
        guard words.count == 4, var day = Self.numbers(line[words[0]], separator: 0x2D), day.count == 3,
            let time = Self.time(line[words[1]])
        else { return nil }
        if day[2] < 100 { day[2] += day[2] < 70 ? 2000 : 1900 }
        var facts = Facts()
        var start = words[2].upperBound + 1
        if FactLine.matches(line[words[2]], "\u{3C}dir\u{3E}") {
            facts.kind = .directory
            // The name stands in a column of its own; where there is none, it follows the blanks.
            start = words[3].lowerBound
        } else if let size = FactLine.number(line[words[2]]) {
            facts.kind = .file
            facts.size = size
        }
        let seconds = Timestamp.seconds(year: day[2], month: day[0], day: day[1], second: time)
        facts.modified = seconds.flatMap(Timestamp.nanoseconds) ?? Entry.unknownTime
        return (facts, line[start...])
    }

    // MARK: Words

    /// Where the first words are.
    private static func words(_ line: ArraySlice<UInt8>, most: Int) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var at = line.startIndex
        while at < line.endIndex, words.count < most {
            guard line[at] != 0x20 else {
                at += 1
                continue
            }
            let end = line[at...].firstIndex(of: 0x20) ?? line.endIndex
            words.append(at..<end)
            at = end
        }
        return words
    }

    /// Numbers with a separator between them.
    private static func numbers(_ word: ArraySlice<UInt8>, separator: UInt8) -> [Int]? {
        var numbers: [Int] = []
        for part in word.split(separator: separator, omittingEmptySubsequences: false) {
            guard let number = FactLine.number(part), number < 10000 else { return nil }
            numbers.append(Int(number))
        }
        return numbers
    }

    /// The second of the day of `15:04`, `15:04:05` or `03:04PM`.
    private static func time(_ word: ArraySlice<UInt8>) -> Int? {
        var word = word
        var half: UInt8?
        if let last = word.last, last | 0x20 == UInt8(ascii: "m"), word.count > 2 {
            half = word[word.endIndex - 2] | 0x20
            word = word.dropLast(2)
        }
        guard let parts = numbers(word, separator: 0x3A), (2...3).contains(parts.count), parts[0] < 25, parts[1] < 60
        else { return nil }
        var hour = parts[0]
        if half == UInt8(ascii: "p"), hour < 12 { hour += 12 }
        if half == UInt8(ascii: "a"), hour == 12 { hour = 0 }
        return hour * 3600 + parts[1] * 60 + (parts.count == 3 ? min(parts[2], 59) : 0)
    }

    private static func month(_ word: ArraySlice<UInt8>) -> Int? {
        guard word.count == 3 else { return nil }
        let names: [StaticString] = [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ]
        return names.firstIndex { FactLine.matches(word, $0) }.map { $0 + 1 }
    }
}
