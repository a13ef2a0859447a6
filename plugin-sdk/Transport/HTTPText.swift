// The small grammars of HTTP: percent-encoding, dates, locations.

/// Percent-encodes bytes for a path or a query: letters, digits, `-._~` and those of `keeping` stay, the rest becomes `%XX`.
///
/// This is the encoding that AWS signatures demand; with `keeping: "/"` it is that of a path.
public func percentEncoded(_ bytes: some Sequence<UInt8>, keeping: StaticString = "") -> String { "" }

/// Decodes `%XX`; nil where a percent sign is not followed by two digits.
public func percentDecoded(_ text: some Sequence<UInt8>) -> [UInt8]? { nil }

/// Hides each value of the query in a target: signatures, keys and tokens travel there.
public func redactingQuery(of target: String) -> String { target }

/// Dates of HTTP and of the stores' documents, in Unix nanoseconds.
public enum HTTPDate {
    /// Reads the three forms of RFC 9110 (`Sun, 06 Nov 1994 08:49:37 GMT` and its elders), nil if it is none.
    public static func parse(_ text: String) -> Int64? { nil }

    /// Reads ISO 8601 as stores write it: `2024-05-06T07:08:09.123Z` or with `+02:00`; nil if it is none.
    public static func parseISO8601(_ text: String) -> Int64? { nil }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static func format(_ nanoseconds: Int64) -> String { "" }

    /// `20240506T070809Z`, as AWS signatures want it.
    public static func formatBasic(_ nanoseconds: Int64) -> String { "" }
}
