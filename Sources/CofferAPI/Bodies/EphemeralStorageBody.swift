package import CofferJSON
package import CofferModel

/// The body of `PUT /v1/storages/{storage}`: the settings of a storage, as YAML would have them.
package struct EphemeralStorageBody: Sendable, Hashable {
    package var backend: String
    /// All settings but `backend`; whoever builds storages checks them.
    package var settings: JSONObject

    package init(backend: String, settings: JSONObject = JSONObject()) {
        self.backend = backend
        self.settings = settings
    }

    package func encode() -> [UInt8] {
        var object = JSONObject([JSONObject.Member(name: "backend", value: .string(backend))])
        object.members += settings.members
        return JSONValue.object(object).bytes()
    }

    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        backend = try body.string("backend")
        settings = body.object
        settings["backend"] = nil
    }
}
