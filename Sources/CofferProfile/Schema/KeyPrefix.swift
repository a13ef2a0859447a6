// What `prefix` may be.

/// The prefix that a storage puts before its keys.
enum KeyPrefix {
    /// `text` with one slash at its end, or nil if it could not start a key.
    static func normalized(_ text: String) -> String? {
        guard !text.isEmpty else { return "" }
        let whole = text.utf8.last == 0x2F ? String(text.dropLast()) : text
        let segments = whole.utf8.split(separator: 0x2F, omittingEmptySubsequences: false)
        let isSound = segments.allSatisfy { segment in
            !segment.isEmpty && !segment.elementsEqual(".".utf8) && !segment.elementsEqual("..".utf8)
                && segment.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        }
        return isSound && whole.utf8.count < 1024 ? whole + "/" : nil
    }

    static let problem =
        "\"prefix\" takes whole segments such as a/b/, without \".\", \"..\", empty ones or a leading slash"
}
