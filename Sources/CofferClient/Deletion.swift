public import CofferModel

/// One of many objects to delete.
public struct Deletion: Sendable, Hashable {
    /// The object's key.
    public var key: Key
    /// The etag that it must have; nil where any version may go, and none may be there.
    public var ifMatch: String?

    /// Names an object to delete.
    public init(_ key: Key, ifMatch: String? = nil) {
        self.key = key
        self.ifMatch = ifMatch
    }
}
