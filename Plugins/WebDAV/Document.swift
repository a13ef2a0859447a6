// What is kept beside the bytes, as one property of a file.

import CofferJSON
import CofferPluginSDK

/// Properties, user metadata and time of an object as one JSON text, which is one property of its file.
struct Document {
    /// The name of the property, and its namespace.
    static let name = "object"
    static let namespace = "urn:coffer:webdav"

    private let object: JSONValue

    /// Reads what a server kept.
    init(_ text: String) throws(BackendError) {
        do throws(JSONError) {
            object = try JSONValue(parsing: text)
        } catch {
            throw BackendError(.corrupt, "the property of an object cannot be read: \(error)")
        }
    }

    /// The text of what a write asks to keep; nil where there is nothing.
    static func text(_ properties: Properties, _ metadata: Properties, _ modified: Int64?) -> String? {
        guard !properties.isEmpty || !metadata.isEmpty || modified != nil else { return nil }
        func members(_ pairs: Properties) -> JSONValue {
            .object(JSONObject(pairs.map { .init(name: $0.name, value: .string($0.value)) }))
        }
        var object = JSONObject()
        if !properties.isEmpty { object.members.append(.init(name: "properties", value: members(properties))) }
        if !metadata.isEmpty { object.members.append(.init(name: "metadata", value: members(metadata))) }
        if let modified { object.members.append(.init(name: "modified", value: .string("\(modified)"))) }
        return JSONValue.object(object).description
    }

    /// Puts what was kept into an entry.
    func apply(to entry: inout Entry) throws(BackendError) {
        for member in object["properties"]?.objectValue?.members ?? [] {
            entry.properties[member.name] = member.value.stringValue
        }
        for member in object["metadata"]?.objectValue?.members ?? [] {
            entry.metadata[member.name] = member.value.stringValue
        }
        if let text = object["modified"]?.stringValue, let time = Int64(text) { entry.modified = time }
    }
}
