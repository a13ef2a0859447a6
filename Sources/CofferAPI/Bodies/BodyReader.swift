package import CofferJSON
package import CofferModel

/// Reads members of a JSON object and refuses by name what is missing, of another kind or unknown.
package struct BodyReader: Sendable {
    package let object: JSONObject
    /// Where the object lies, for messages: empty, or `storages[2].`.
    private let path: String

    /// Reads a request's or an answer's body.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw CofferError(.invalidArgument, "the body is not JSON: \(error)")
        }
        try self.init(value, path: "")
    }

    /// Reads `value`, which lies at `path`.
    package init(_ value: JSONValue, path: String = "") throws(CofferError) {
        guard let object = value.objectValue else {
            let name = path.isEmpty ? "the body" : String(path.dropLast())
            throw CofferError(.invalidArgument, "\(name) must be an object, not \(value.kind)")
        }
        self.object = object
        self.path = path
    }

    /// Refuses members that are not among `names`.
    package func allowOnly(_ names: [String]) throws(CofferError) {
        for member in object where !names.contains(where: { member.isCalled($0) }) {
            throw CofferError(
                .invalidArgument,
                "unknown member \(path)\(member.name); known are \(names.joined(separator: ", "))"
            )
        }
    }

    /// The value of `name`; nil where it is absent or null.
    package func value(_ name: String) -> JSONValue? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    package func string(_ name: String) throws(CofferError) -> String {
        try required(name, try optionalString(name))
    }

    package func optionalString(_ name: String) throws(CofferError) -> String? {
        try converted(name, "a string") { $0.stringValue }
    }

    package func optionalInteger(_ name: String) throws(CofferError) -> Int64? {
        try converted(name, "an integer") { $0.integerValue }
    }

    package func optionalBool(_ name: String) throws(CofferError) -> Bool? {
        try converted(name, "a boolean") { $0.boolValue }
    }

    package func optionalTime(_ name: String) throws(CofferError) -> Timestamp? {
        try converted(name, "a time (RFC 3339, UTC)") { $0.stringValue.flatMap { Timestamp($0) } }
    }

    package func optionalArray(_ name: String) throws(CofferError) -> [JSONValue]? {
        try converted(name, "an array") { $0.arrayValue }
    }

    package func strings(_ name: String) throws(CofferError) -> [String] {
        var strings: [String] = []
        for (index, element) in (try optionalArray(name) ?? []).enumerated() {
            guard let string = element.stringValue else {
                throw CofferError(.invalidArgument, "\(path)\(name)[\(index)] must be a string, not \(element.kind)")
            }
            strings.append(string)
        }
        return strings
    }

    /// The member `name` as an object of its own; nil where it is absent or null.
    package func optionalObject(_ name: String) throws(CofferError) -> BodyReader? {
        guard let value = value(name) else { return nil }
        return try BodyReader(value, path: "\(path)\(name).")
    }

    /// The elements of the array `name`, each an object.
    package func objects(_ name: String) throws(CofferError) -> [BodyReader] {
        var readers: [BodyReader] = []
        for (index, element) in (try optionalArray(name) ?? []).enumerated() {
            readers.append(try BodyReader(element, path: "\(path)\(name)[\(index)]."))
        }
        return readers
    }

    /// The members of the object `name`, each a string; their order is kept.
    package func stringPairs(_ name: String) throws(CofferError) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        guard let reader = try optionalObject(name) else { return pairs }
        for member in reader.object { pairs.append((member.name, try reader.string(member.name))) }
        return pairs
    }

    package func required<T>(_ name: String, _ value: T?) throws(CofferError) -> T {
        guard let value else { throw CofferError(.invalidArgument, "\(path)\(name) is missing") }
        return value
    }

    private func converted<T>(
        _ name: String,
        _ kind: String,
        _ convert: (JSONValue) -> T?
    ) throws(CofferError) -> T? {
        guard let value = value(name) else { return nil }
        guard let result = convert(value) else {
            throw CofferError(.invalidArgument, "\(path)\(name) must be \(kind), not \(value.kind)")
        }
        return result
    }
}
