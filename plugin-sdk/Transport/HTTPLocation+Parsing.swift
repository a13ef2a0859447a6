// Reading URLs.

extension HTTPLocation {
    /// Reads an absolute URL; throws what is wrong, without the URL.
    ///
    /// A fragment is dropped; a user or a password inside is refused.
    public init(parsing text: String) throws(HTTPLocationError) {
        let text = Substring(text).utf8.prefix { $0 != UInt8(ascii: "#") }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { throw Self.wrong("has no scheme") }
        let scheme = String(Substring(text[..<colon])).lowercased()
        guard scheme == "http" || scheme == "https" else { throw Self.wrong("is neither http nor https") }
        let rest = text[text.index(after: colon)...]
        guard rest.starts(with: "//".utf8) else { throw Self.wrong("has no host") }
        let body = rest.dropFirst(2)
        let end = body.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? body.endIndex
        let origin = try Self.origin(body[..<end], isSecure: scheme == "https")
        let tail = String(Substring(body[end...]))
        self.init(origin: origin, target: try Self.checked(tail.utf8.first == UInt8(ascii: "/") ? tail : "/" + tail))
    }

    /// The location that a `Location` field names, seen from here: absolute, `//host/path`, `/path` or relative.
    public func resolving(_ reference: String) throws(HTTPLocationError) -> HTTPLocation {
        let text = String(Substring(Substring(reference).utf8.prefix { $0 != UInt8(ascii: "#") }))
        let lower = text.lowercased().utf8
        if lower.starts(with: "http:".utf8) || lower.starts(with: "https:".utf8) {
            return try HTTPLocation(parsing: text)
        }
        if text.utf8.starts(with: "//".utf8) { return try HTTPLocation(parsing: "\(origin.scheme):\(text)") }
        let head = text.utf8.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard !head.contains(UInt8(ascii: ":")) else { throw Self.wrong("is neither http nor https") }
        guard let first = text.utf8.first else { return self }
        if first == UInt8(ascii: "/") { return HTTPLocation(origin: origin, target: try Self.checked(text)) }
        if first == UInt8(ascii: "?") { return HTTPLocation(origin: origin, target: try Self.checked(path + text)) }
        let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[...$0] } ?? "/"
        return HTTPLocation(origin: origin, target: try Self.checked(folder + text))
    }

    private static func origin(
        _ authority: Substring.UTF8View.SubSequence,
        isSecure: Bool
    ) throws(HTTPLocationError) -> HTTPOrigin {
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw wrong("must not hold a user or a password: they have options of their own")
        }
        var host = authority
        var port: UInt16?
        let bracket = authority.lastIndex(of: UInt8(ascii: "]"))
        if let colon = authority.lastIndex(of: UInt8(ascii: ":")), bracket.map({ $0 < colon }) ?? true {
            guard let number = UInt16(String(Substring(authority[authority.index(after: colon)...]))), number > 0 else {
                throw wrong("has no valid port")
            }
            port = number
            host = authority[..<colon]
        }
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") { host = host.dropFirst().dropLast() }
        let isName = host.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            // Inside brackets, an address of version 6 with its zone.
            case 0x3A, 0x25: bracket != nil
            default: false
            }
        }
        guard !host.isEmpty, isName else { throw wrong("has no valid host") }
        return HTTPOrigin(isSecure: isSecure, host: String(Substring(host)), port: port)
    }

    private static func checked(_ target: String) throws(HTTPLocationError) -> String {
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw wrong("holds a blank or a control character")
        }
        return target
    }

    private static func wrong(_ reason: String) -> HTTPLocationError { HTTPLocationError(reason: reason) }
}

/// Why a text is not an HTTP URL.
public struct HTTPLocationError: Error, Sendable, Hashable {
    /// What is wrong; follows `option NAME` or `the redirection`: `has no host`.
    public let reason: String
}
