import CofferJSON

/// What each operation takes and answers, for the OpenAPI document.
enum OpenAPIBodies {
    /// The body of a request; nil where it takes none.
    static func request(of operation: Operation) -> JSONValue? {
        switch operation {
        case .put: bytes
        case .create: bytes
        case .patch: json("MetadataChange")
        case .putStorage: json("EphemeralStorage")
        case .deleteMany: json("Deletion")
        case .copy, .move: json("Transfer")
        case .duplicate: json("Duplication")
        default: nil
        }
    }

    /// The answers; whatever is no success is a problem document.
    static func responses(of operation: Operation) -> JSONValue {
        var responses = JSONObject()
        for (status, answer) in successes(of: operation) { responses[status] = answer }
        responses["default"] = OpenAPI.reference("responses", "Problem")
        return .object(responses)
    }

    /// The fields of the head that matter to an operation, by the names of their parameters.
    static func headers(of operation: Operation) -> [String] {
        switch operation {
        case .get: ["if_match", "if_none_match", "range"]
        case .head, .stat: ["if_match", "if_none_match"]
        case .put: ["if_match", "if_none_match"]
        case .delete, .patch: ["if_match"]
        default: []
        }
    }

    private static func successes(of operation: Operation) -> [(String, JSONValue)] {
        switch operation {
        case .health: [("200", answer("The host lives", "Health"))]
        case .version: [("200", answer("The versions", "Version"))]
        case .metrics: [("200", text("Prometheus text", "text/plain"))]
        case .openapi: [("200", text("This document", "application/json", schema: ["type": "object"]))]
        case .listPlugins: [("200", answer("The plugins", "Plugins"))]
        case .listProfiles: [("200", answer("The profiles", "Profiles"))]
        case .activateProfile, .reload: [("200", answer("The new generation", "Activation"))]
        case .listStorages: [("200", answer("The storages", "Storages"))]
        case .getStorage: [("200", answer("The storage", "Storage"))]
        case .putStorage: [("201", answer("The storage", "Storage"))]
        case .checkStorage: [("200", answer("The store can be reached", "StorageHealth"))]
        case .list: [("200", listing)]
        case .create:
            [("201", answer("Where it went", "Object")), ("200", answer("The answer to a repeated request", "Object"))]
        case .deletePrefix: [("200", answer("What was deleted", "PrefixDeletion"))]
        case .put, .copy, .move, .duplicate:
            [("201", answer("Written under a new key", "Object")), ("200", answer("Replaced", "Object"))]
        case .get: [("200", object("The object")), ("206", object("The range")), ("304", plain("Not modified"))]
        case .head: [("200", plain("What GET would answer")), ("304", plain("Not modified"))]
        case .stat: [("200", answer("The object", "Object")), ("304", plain("Not modified"))]
        case .patch: [("200", answer("The object", "Object"))]
        case .url: [("200", answer("The public URL", "URL"))]
        case .deleteMany: [("200", answer("One result for each key", "DeletionResults"))]
        case .dropStorage, .delete: [("204", plain("Gone"))]
        }
    }

    private static let bytes: JSONValue = [
        "content": ["*/*": ["schema": ["type": "string", "format": "binary"]]]
    ]

    private static let listing: JSONValue = [
        "description": "A page, or every entry on a line of its own",
        "content": [
            "application/json": ["schema": OpenAPI.reference("schemas", "ListingPage")],
            "application/x-ndjson": ["schema": ["type": "string"]],
        ],
    ]

    private static func json(_ schema: String) -> JSONValue {
        ["required": true, "content": ["application/json": ["schema": OpenAPI.reference("schemas", schema)]]]
    }

    private static func answer(_ description: String, _ schema: String) -> JSONValue {
        text(description, "application/json", schema: OpenAPI.reference("schemas", schema))
    }

    private static func text(
        _ description: String,
        _ type: String,
        schema: JSONValue = ["type": "string"]
    ) -> JSONValue {
        [
            "description": .string(description),
            "content": .object(JSONObject([.init(name: type, value: ["schema": schema])])),
        ]
    }

    private static func object(_ description: String) -> JSONValue {
        text(description, "*/*", schema: ["type": "string", "format": "binary"])
    }

    private static func plain(_ description: String) -> JSONValue { ["description": .string(description)] }
}
