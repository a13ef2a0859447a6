// What the server answers, cut out of the bytes of the control connection.

/// One answer of the server.
struct Reply: Equatable {
    /// Three digits: the first says whether it is preliminary (1), done (2), half done (3), failed for now (4) or for good (5).
    let code: Int
    /// The text of each line, without the code where there is one.
    let lines: [[UInt8]]

    /// Whether another answer to the same command follows.
    var isPreliminary: Bool { code / 100 == 1 }
    /// Whether the command is done.
    var isDone: Bool { code / 100 == 2 }
    /// Whether the server does not know the command; 501 is about its argument, which for some servers is a missing file.
    var isUnknownCommand: Bool { [500, 502, 504, 522].contains(code) }

    /// The text, for people: one line, nothing but what can be printed, not too much of it.
    var words: String {
        let joined = lines.joined(separator: [0x20]).prefix(300)
        let printable = joined.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: " ") : $0 }
        return String(decoding: printable, as: UTF8.self)
    }
}

/// Cuts bytes into answers, however they arrive.
///
///     between ──"220 text"──▶ answer
///        └──"220-text"──▶ inside ──any line──▶ inside ──"220 text"──▶ answer
struct ReplyParser {
    /// Why the bytes are no answers: the connection is of no more use.
    struct Malformed: Error, Equatable {
        let reason: String
    }

    static let longestLine = 64 << 10
    static let longestReply = 1 << 20

    private var bytes: [UInt8] = []
    private var start = 0
    /// How far no line end was found.
    private var scanned = 0
    private var code: Int?
    private var lines: [[UInt8]] = []
    private var weight = 0

    /// Takes in what arrived.
    mutating func feed(_ more: some Sequence<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            scanned -= start
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Whether nothing lies here that was not asked for.
    var isEmpty: Bool { start == bytes.count && code == nil }

    /// The next whole answer, or nil if more must come first.
    mutating func next() throws(Malformed) -> Reply? {
        while let line = try line() {
            if let code {
                if Self.code(of: line) == code, line.count == 3 || line[line.startIndex + 3] == 0x20 {
                    defer { begin(nil) }
                    return Reply(code: code, lines: lines + [Self.text(of: line)])
                }
                weight += line.count
                guard weight <= Self.longestReply else { throw Malformed(reason: "an answer has no end") }
                lines.append(Self.code(of: line) == code ? Self.text(of: line) : Array(line))
                continue
            }
            guard let found = Self.code(of: line) else { throw Malformed(reason: "an answer has no code") }
            guard line.count > 3, line[line.startIndex + 3] == UInt8(ascii: "-") else {
                return Reply(code: found, lines: [Self.text(of: line)])
            }
            begin(found)
            lines.append(Self.text(of: line))
        }
        return nil
    }

    private mutating func begin(_ code: Int?) {
        self.code = code
        lines = []
        weight = 0
    }

    private mutating func line() throws(Malformed) -> ArraySlice<UInt8>? {
        guard let end = bytes[scanned...].firstIndex(of: 0x0A) else {
            scanned = bytes.count
            guard bytes.count - start <= Self.longestLine else { throw Malformed(reason: "a line has no end") }
            return nil
        }
        defer {
            start = end + 1
            scanned = start
        }
        return bytes[start..<(end > start && bytes[end - 1] == 0x0D ? end - 1 : end)]
    }

    private static func code(of line: ArraySlice<UInt8>) -> Int? {
        guard line.count >= 3, line.count == 3 || [0x20, 0x2D].contains(line[line.startIndex + 3]) else { return nil }
        var code = 0
        for byte in line.prefix(3) {
            guard (0x30...0x39).contains(byte) else { return nil }
            code = code * 10 + Int(byte - 0x30)
        }
        return (100..<700).contains(code) ? code : nil
    }

    private static func text(of line: ArraySlice<UInt8>) -> [UInt8] { Array(line.dropFirst(4)) }
}
