import CofferJSON
public import CofferModel

/// The body of a deletion of many: `{"keys": ["a", {"key": "b", "if_match": "token"}]}`.
package struct DeletionBody: Sendable, Hashable {
    /// One key, and the token that its object must have.
    package struct Item: Sendable, Hashable {
        package var key: Key
        package var ifMatch: String?

        package init(key: Key, ifMatch: String? = nil) {
            self.key = key
            self.ifMatch = ifMatch
        }
    }

    package var items: [Item]

    /// The most keys in one request.
    package static let limit = 10_000

    package init(_ items: [Item]) { self.items = items }

    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.name("keys")
            $0.array {
                for item in items {
                    guard let token = item.ifMatch else {
                        $0.value(item.key.text)
                        continue
                    }
                    $0.object {
                        $0.member("key", item.key.text)
                        $0.member("if_match", token)
                    }
                }
            }
        }
        return writer.bytes
    }

    /// Reads the body; keys are taken as they are, since each has a result of its own.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        try body.allowOnly(["keys"])
        let elements = try body.required("keys", try body.optionalArray("keys"))
        guard elements.count <= Self.limit else {
            throw CofferError(.invalidArgument, "keys has \(elements.count) elements, the limit is \(Self.limit)")
        }
        items = []
        for (index, element) in elements.enumerated() {
            if let key = element.stringValue {
                items.append(Item(key: Key(key)))
            } else {
                let reader = try BodyReader(element, path: "keys[\(index)].")
                try reader.allowOnly(["key", "if_match"])
                let item = Item(key: Key(try reader.string("key")), ifMatch: try reader.optionalString("if_match"))
                items.append(item)
            }
        }
    }
}

/// What came of one key of a deletion of many.
public struct DeletionResult: Sendable, Hashable {
    /// The key.
    public var key: Key
    /// Why it is still there; nil where it is gone.
    public var error: CofferError?

    /// Creates a result.
    public init(key: Key, error: CofferError? = nil) {
        self.key = key
        self.error = error
    }

    /// The answer to a deletion of many: `{results: [{key, deleted, problem}]}`, in the order of the request.
    package static func encode(_ results: [DeletionResult]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.name("results")
            $0.array {
                for result in results {
                    $0.object {
                        $0.member("key", result.key.text)
                        $0.member("deleted", result.error == nil)
                        $0.name("problem")
                        if let error = result.error { Problem.write(error, to: &$0) } else { $0.null() }
                    }
                }
            }
        }
        return writer.bytes
    }

    /// Reads the answer.
    package static func parse(_ bytes: [UInt8]) throws(CofferError) -> [DeletionResult] {
        var results: [DeletionResult] = []
        for body in try BodyReader(parsing: bytes).objects("results") {
            let error = body.value("problem").map { Problem.decode($0) }
            results.append(DeletionResult(key: Key(try body.string("key")), error: error))
        }
        return results
    }
}
