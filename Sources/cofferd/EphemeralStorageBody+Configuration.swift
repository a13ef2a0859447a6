import CofferAPI
import CofferJSON

extension EphemeralStorageBody {
    /// A configuration that has this storage as `name` and everything else from the file at `path`.
    ///
    /// JSON is YAML. A `$` is doubled: a caller may make storages, but not read the host's files and variables.
    func asConfiguration(of name: String, over path: String) -> [UInt8] {
        var settings = JSONObject([.init(name: "backend", value: .string(backend).withoutReferences)])
        settings.members += self.settings.members.map { .init(name: $0.name, value: $0.value.withoutReferences) }
        let text: JSONValue = .object(
            JSONObject([
                .init(name: "include", value: .string(path)),
                .init(
                    name: "storages",
                    value: .object(JSONObject([.init(name: name, value: .object(settings))]))
                ),
            ])
        )
        return text.bytes()
    }
}

extension JSONValue {
    fileprivate var withoutReferences: JSONValue {
        switch self {
        case .string(let text):
            return .string(text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$"))
        case .array(let elements):
            return .array(elements.map(\.withoutReferences))
        case .object(let object):
            return .object(JSONObject(object.map { .init(name: $0.name, value: $0.value.withoutReferences) }))
        case .null, .bool, .integer, .number:
            return self
        }
    }
}
