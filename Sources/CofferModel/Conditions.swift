/// What must hold for an operation to happen (RFC 9110, section 13).
public struct Conditions: Sendable, Hashable {
    /// A set of tokens, or any existing object.
    public enum Match: Sendable, Hashable {
        /// `*`: the object exists.
        case any
        /// One of these tokens, without quotes, compared strongly.
        case tokens([String])
    }

    /// The object must match.
    public var ifMatch: Match?
    /// The object must not match; `.any` on a write means "create only".
    public var ifNoneMatch: Match?

    /// Creates conditions; without arguments, none.
    public init(ifMatch: Match? = nil, ifNoneMatch: Match? = nil) {
        self.ifMatch = ifMatch
        self.ifNoneMatch = ifNoneMatch
    }

    /// No condition at all.
    public static let none = Conditions()

    /// Whether there is none.
    public var isEmpty: Bool { ifMatch == nil && ifNoneMatch == nil }
}

extension Conditions.Match {
    /// Whether an object with `etag` (nil: there is no object) satisfies this.
    public func isSatisfied(by etag: String?, exists: Bool) -> Bool {
        switch self {
        case .any: exists
        case .tokens(let tokens):
            exists && tokens.contains { token in etag.map { token.utf8.elementsEqual($0.utf8) } ?? false }
        }
    }
}

/// What a write does when the key is taken.
public enum OnConflict: String, Sendable, Hashable, CaseIterable {
    /// Refuse with `already_exists`.
    case error
    /// Put the new object in its place.
    case replace
    /// Take a free name beside it; the answer says which.
    case rename
}
