// Words that people type: compared as bytes, quoted safely, and the nearest one to a mistake.

/// A word compared and hashed as bytes, unlike `String`, which compares canonical equivalents.
struct Word: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: Word, right: Word) -> Bool { left.text.isSame(as: right.text) }

    // Same bytes have the same hash as a String; that canonical equivalents share it costs a comparison.
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension String {
    /// Whether both hold the same bytes.
    func isSame(as other: String) -> Bool {
        // The comparison of the standard library first: it is fast, and different texts have different bytes.
        self == other && utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    /// The text in double quotes for a message: shortened, and nothing in it can move a cursor.
    var quoted: String {
        var result = "\""
        var count = 0
        for scalar in unicodeScalars {
            guard count < 60 else {
                result += "…"
                break
            }
            count += 1
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            case "\u{2028}", "\u{2029}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}", "\u{FEFF}":
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Where what follows the first `://` starts; nil without one.
    var afterScheme: String.Index? {
        var position = utf8.startIndex
        while let colon = utf8[position...].firstIndex(of: 0x3A) {
            let rest = utf8[utf8.index(after: colon)...]
            if rest.starts(with: "//".utf8) { return utf8.index(rest.startIndex, offsetBy: 2) }
            position = rest.startIndex
        }
        return nil
    }

    /// The ASCII letters in lower case, the rest as it is.
    var lowercasedASCII: String {
        String(decoding: utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
    }

    /// Without spaces, tabs and line ends at both ends.
    var trimmed: String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        guard let first = utf8.firstIndex(where: { !isBlank($0) }),
            let last = utf8.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[first...last])
    }
}

/// The hint that names the nearest of `known`, or lists them if none is near; nil if there is nothing to list.
func suggestion(for word: String, among known: [String]) -> String? {
    if let near = nearest(to: word, among: known) { return "did you mean \(near.quoted)?" }
    return nil
}

/// The one of `known` that `word` was most likely meant to be.
func nearest(to word: String, among known: [String]) -> String? {
    let typed = Array(word.lowercasedASCII.utf8.prefix(64))
    guard !typed.isEmpty else { return nil }
    var best: (word: String, distance: Int)?
    for candidate in known {
        let letters = Array(candidate.lowercasedASCII.utf8)
        // The start of a longer word is as near as two slips.
        if typed.count >= 3 && letters.starts(with: typed) && best?.distance ?? .max > 2 { best = (candidate, 2) }
        // A third of the word may be wrong, and two letters of a short one.
        let allowed = max(2, min(typed.count, letters.count) / 3)
        guard abs(typed.count - letters.count) <= allowed else { continue }
        let distance = editDistance(typed, letters)
        if distance <= allowed && distance < min(typed.count, letters.count) && distance < best?.distance ?? .max {
            best = (candidate, distance)
        }
    }
    return best?.word
}

/// How many letters must be put in, taken out, changed or swapped with a neighbour to get from one to the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
        var row = [i + 1]
        row.reserveCapacity(right.count + 1)
        for j in right.indices {
            let substitution = last[j] + (left[i] == right[j] ? 0 : 1)
            var best = min(substitution, min(last[j + 1], row[j]) + 1)
            if i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j] {
                best = min(best, beforeLast[j - 1] + 1)
            }
            row.append(best)
        }
        beforeLast = last
        last = row
    }
    return last[right.count]
}

/// `a, b or c`, for messages.
func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}
