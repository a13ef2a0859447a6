package import CofferModel

/// A request target taken apart, still percent-encoded (RFC 9112, section 3.2).
///
/// The raw target is split first, and each piece is decoded exactly once afterwards: an encoded slash never becomes a
/// border, nothing is normalised, and `+` is a plus.
package struct RequestTarget: Sendable {
    /// What the path names.
    package let resource: Resource
    /// The storage or profile of the path, decoded; empty where it has none.
    package let name: String
    /// The raw key or container of the path; nil where it has neither.
    package let rawKey: ArraySlice<UInt8>?
    /// The raw query; empty where there is none.
    package let rawQuery: ArraySlice<UInt8>

    /// Takes `target` apart; nil where no resource looks like this.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` where a name is not percent-encoded UTF-8.
    package init?(_ target: String) throws(CofferError) {
        var path = Self.withoutAuthority(Array(target.utf8)[...])
        if let mark = path.firstIndex(of: UInt8(ascii: "?")) {
            rawQuery = path[(mark + 1)...]
            path = path[..<mark]
        } else {
            rawQuery = []
        }
        var rest = Segments(rest: path)
        guard let first = rest.next() else { return nil }
        if first.spells("metrics") && rest.isAtEnd {
            resource = .metrics
            name = ""
            rawKey = nil
            return
        }
        guard first.spells("v1"), let second = rest.next() else { return nil }
        if second.spells("storages"), let storage = rest.next() {
            name = try Self.decodedName(storage)
            guard let found = Self.inStorage(rest) else { return nil }
            (resource, rawKey) = found
            return
        }
        rawKey = nil
        if second.spells("profiles"), let profile = rest.next() {
            name = try Self.decodedName(profile)
            guard let verb = rest.next(), verb.spells("activate"), rest.isAtEnd else { return nil }
            resource = .activation
            return
        }
        name = ""
        guard rest.isAtEnd, let found = Self.plain.first(where: { second.spells($0.word) }) else { return nil }
        resource = found.resource
    }

    private static let plain: [(word: String, resource: Resource)] = [
        ("storages", .storages), ("health", .health), ("version", .version), ("plugins", .plugins),
        ("profiles", .profiles), ("reload", .reload), ("openapi.json", .openapi),
    ]

    private static let verbs: [(word: String, resource: Resource)] = [
        ("object", .objectByQuery), ("health", .storageHealth), ("delete", .deletion), ("copy", .copy),
        ("move", .move), ("duplicate", .duplicate), ("links", .links),
    ]

    /// What follows `/v1/storages/{storage}`.
    private static func inStorage(_ segments: Segments) -> (Resource, ArraySlice<UInt8>?)? {
        var rest = segments
        guard let verb = rest.next() else { return (.storage, nil) }
        if verb.spells("objects") { return rest.isAtEnd ? (.objects, nil) : (.object, rest.afterSlash) }
        if verb.spells("stat") { return rest.isAtEnd ? (.statByQuery, nil) : (.stat, rest.afterSlash) }
        if verb.spells("url") { return rest.isAtEnd ? (.urlByQuery, nil) : (.url, rest.afterSlash) }
        if verb.spells("containers") {
            guard let container = rest.next() else { return (.containers, nil) }
            return rest.isAtEnd ? (.container, container) : nil
        }
        guard rest.isAtEnd, let found = verbs.first(where: { verb.spells($0.word) }) else { return nil }
        return (found.resource, nil)
    }

    /// The path of an absolute target; what it says of scheme and authority does not matter on a socket.
    private static func withoutAuthority(_ target: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if target.first == UInt8(ascii: "/") { return target }
        for scheme in ["http://", "https://"] where target.starts(with: scheme.utf8) {
            let rest = target.dropFirst(scheme.utf8.count)
            return rest.firstIndex(of: UInt8(ascii: "/")).map { rest[$0...] } ?? []
        }
        return target
    }

    private static func decodedName(_ raw: ArraySlice<UInt8>) throws(CofferError) -> String {
        guard let name = PercentCoding.decode(raw), !name.isEmpty else {
            throw CofferError(.invalidArgument, "a name in the path is empty or not percent-encoded UTF-8")
        }
        return name
    }
}

/// Walks the segments of a path.
private struct Segments {
    var rest: ArraySlice<UInt8>

    var isAtEnd: Bool { rest.isEmpty }

    /// Everything after the slash that comes next.
    var afterSlash: ArraySlice<UInt8> { rest.dropFirst() }

    /// The next segment without its slash; nil at the end.
    mutating func next() -> ArraySlice<UInt8>? {
        guard rest.first == UInt8(ascii: "/") else { return nil }
        let segment = rest.dropFirst()
        let end = segment.firstIndex(of: UInt8(ascii: "/")) ?? segment.endIndex
        rest = segment[end...]
        return segment[..<end]
    }
}

extension ArraySlice<UInt8> {
    /// Whether these bytes are exactly `word`.
    fileprivate func spells(_ word: String) -> Bool {
        let wanted = word.utf8.span
        guard count == wanted.count else { return false }
        for offset in 0..<count where self[startIndex + offset] != wanted[offset] { return false }
        return true
    }
}
