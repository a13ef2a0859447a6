// What `accept:` and `deny:` mean. Extensions and declared types are both evidence; neither may smuggle the other in.
package import CofferModel

/// A set of file types: named sets, extensions, media types and families of them.
///
/// An item is a named set (`IMAGES`), an extension (`pdf`, `.pdf`), a media type (`image/png`) or a family (`image/*`).
package struct FileTypeRule: Sendable, Hashable {
    /// The items as they were written, for whoever shows the settings.
    package private(set) var items: [String]
    /// Whether the items are those that do *not* belong.
    package private(set) var isAllExcept: Bool

    private var extensions: Set<String> = []
    private var mediaTypes: Set<String> = []
    private var families: Set<String> = []
    private var holdsEverything = false

    /// Everything.
    package static let all = FileTypeRule(everything: true)
    /// Nothing.
    package static let none = FileTypeRule(everything: false)

    private init(everything: Bool) {
        items = [everything ? "ALL" : "NONE"]
        isAllExcept = false
        holdsEverything = everything
    }

    /// Reads `items`; with `isAllExcept`, the rule is everything but them.
    ///
    /// - Throws: ``CofferError`` with `config_invalid`, naming the item that is no set, extension, type or family.
    package init(_ items: [String], isAllExcept: Bool = false) throws(CofferError) {
        self.items = items
        self.isAllExcept = isAllExcept
        for item in items { try add(item) }
    }

    private mutating func add(_ item: String) throws(CofferError) {
        let word = item.lowercased()
        if let set = FileTypeSet(rawValue: word) {
            if set == .all { holdsEverything = true }
            extensions.formUnion(set.extensions)
        } else if word.utf8.contains(UInt8(ascii: "/")) {
            try addMediaType(word, item)
        } else {
            let name = word.hasPrefix(".") ? String(word.dropFirst()) : word
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isExtensionByte) else { throw Self.unknown(item) }
            extensions.insert(name)
        }
    }

    private mutating func addMediaType(_ word: String, _ item: String) throws(CofferError) {
        let parts = word.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, parts[0] != "*" || parts[1] == "*" else {
            throw Self.unknown(item)
        }
        if parts[0] == "*" {
            holdsEverything = true
        } else if parts[1] == "*" {
            families.insert(String(parts[0]))
        } else {
            mediaTypes.insert(word)
        }
    }

    private static func isExtensionByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: ".") && byte != UInt8(ascii: "*")
    }

    private static func unknown(_ item: String) -> CofferError {
        let names = FileTypeSet.allCases.map { $0.rawValue.uppercased() }.joined(separator: ", ")
        return CofferError(
            .configInvalid,
            "\"\(item)\" is no file type: say a set (\(names)), an extension, a media type or image/*"
        )
    }
}

extension FileTypeRule {
    /// Whether everything belongs, so that nothing needs to be looked at.
    package var isAll: Bool { holdsEverything && !isAllExcept }
    /// Whether nothing belongs.
    package var isNone: Bool {
        isAllExcept ? holdsEverything : !holdsEverything && extensions.isEmpty && mediaTypes.isEmpty && families.isEmpty
    }

    /// Whether a file may pass, as what `accept:` says.
    ///
    /// The extension must belong, and a declared type that is known must not contradict it. A declared
    /// `application/octet-stream` says nothing; where there is no extension either, it is what the file is judged by.
    func accepts(_ file: FileEvidence) -> Bool {
        guard !isAll else { return true }
        guard !isAllExcept else { return !touches(file) }
        guard let suffix = file.suffix else {
            return matches(type: file.type ?? ContentTypes.unknown, byExtension: true)
        }
        guard let type = file.type else { return matches(suffix: suffix) }
        let suffixBelongs =
            matches(suffix: suffix)
            || (ContentTypes.type(ofSuffix: suffix) == nil && matches(type: type, byExtension: false))
        return suffixBelongs && (matches(type: type, byExtension: true) || !ContentTypes.isKnown(type))
    }

    /// Whether a file must not pass, as what `deny:` says: any evidence is enough.
    func denies(_ file: FileEvidence) -> Bool {
        guard isAllExcept else { return touches(file) }
        return !FileTypeRule(inverting: self).touches(file)
    }

    private init(inverting rule: FileTypeRule) {
        self = rule
        isAllExcept = false
    }

    /// Whether anything known of the file is among the items.
    private func touches(_ file: FileEvidence) -> Bool {
        if holdsEverything { return true }
        if let suffix = file.suffix, matches(suffix: suffix) { return true }
        if file.suffix == nil || file.type != nil {
            return matches(type: file.type ?? ContentTypes.unknown, byExtension: file.suffix == nil)
        }
        return false
    }

    private func matches(suffix: String) -> Bool {
        if holdsEverything || extensions.contains(suffix) { return true }
        guard let type = ContentTypes.type(ofSuffix: suffix) else { return false }
        return matches(type: type, byExtension: false)
    }

    private func matches(type: String, byExtension: Bool) -> Bool {
        if holdsEverything || mediaTypes.contains(type) { return true }
        if let slash = type.firstIndex(of: "/"), families.contains(String(type[..<slash])) { return true }
        guard byExtension, type != ContentTypes.unknown else { return false }
        return extensions.contains { ContentTypes.type(ofSuffix: $0) == type }
    }
}

/// What is known of a file's type before its bytes are.
struct FileEvidence {
    /// The lower-case extension; nil where there is none.
    let suffix: String?
    /// The declared media type, lower-case and without parameters; nil where it says nothing.
    let type: String?

    init(key: Key, declared: String?) {
        suffix = key.suffix
        let bare = declared.map(ContentTypes.essence)
        type = bare == ContentTypes.unknown || bare?.isEmpty == true ? nil : bare
    }
}
