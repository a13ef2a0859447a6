/// What a link lets its holder do with an object; the raw value is the HTTP method.
public enum LinkMethod: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case delete = "DELETE"
}
