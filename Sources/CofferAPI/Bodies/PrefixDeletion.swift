import CofferJSON
public import CofferModel

/// What a deletion of a whole prefix did, or with a dry run would do.
public struct PrefixDeletion: Sendable, Hashable {
    /// How many objects.
    public var count: Int64
    /// Whether nothing was deleted.
    public var isDryRun: Bool
    /// The first of their keys.
    public var keys: [Key]
    /// What could not be deleted, and why.
    public var failures: [CofferError]

    /// Creates a result.
    public init(count: Int64, isDryRun: Bool = false, keys: [Key] = [], failures: [CofferError] = []) {
        self.count = count
        self.isDryRun = isDryRun
        self.keys = keys
        self.failures = failures
    }

    /// The answer as JSON: `{count, dry_run, keys, failures}`.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("count", count)
            $0.member("dry_run", isDryRun)
            $0.name("keys")
            $0.array {
                for key in keys { $0.value(key.text) }
            }
            $0.name("failures")
            $0.array {
                for failure in failures { Problem.write(failure, to: &$0) }
            }
        }
        return writer.bytes
    }

    /// Reads the answer.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        self.init(
            count: try body.required("count", try body.optionalInteger("count")),
            isDryRun: try body.optionalBool("dry_run") ?? false,
            keys: try body.strings("keys").map { Key($0) },
            failures: (try body.optionalArray("failures") ?? []).map { Problem.decode($0) }
        )
    }
}

/// The answer to a request for a public URL: `{url}`.
package enum URLAnswer {
    package static func encode(_ url: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { $0.member("url", url) }
        return writer.bytes
    }

    package static func parse(_ bytes: [UInt8]) throws(CofferError) -> String {
        try BodyReader(parsing: bytes).string("url")
    }
}
