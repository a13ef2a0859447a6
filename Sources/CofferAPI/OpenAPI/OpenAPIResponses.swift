import CofferJSON

/// What each operation answers, for the OpenAPI document: every status that it can have, and no other.
enum OpenAPIResponses {
    /// The answers of a line of the contract.
    static func of(_ row: RouteRow) -> JSONValue {
        var responses = JSONObject()
        for (status, answer) in successes(of: row.operation) {
            var answer = answer.objectValue ?? JSONObject()
            answer["headers"] = .object(headers(of: row.operation, status: status))
            responses[status] = .object(answer)
        }
        for status in failures(of: row).sorted() { responses[String(status)] = problem(status) }
        return .object(responses)
    }

    /// Answers that many operations share.
    static let components: JSONValue = [
        "Problem": problem("What failed, why, and what to do (RFC 9457)", [:]),
        "NotAllowed": problem(
            "The path does not take this method",
            ["Allow": ["required": true, "description": "The methods that it takes", "schema": ["type": "string"]]]
        ),
        "OutsideObject": problem(
            "The range lies outside the object",
            ["Content-Range": ["required": true, "schema": ["type": "string", "pattern": "^bytes \\*/[0-9]+$"]]]
        ),
        "Later": problem(
            "Not now; try again after a while",
            ["Retry-After": ["required": true, "description": "Seconds", "schema": ["type": "integer", "minimum": 0]]]
        ),
    ]

    /// Fields that many answers share.
    static let headers: JSONValue = [
        "Generation": [
            "required": true, "description": "The generation of the configuration that answered",
            "schema": ["type": "integer", "minimum": 1],
        ],
        "Tag": [
            "description": "The object's version token",
            "schema": ["type": "string", "pattern": "^\"[!#-~]+\"$"],
        ],
        "Place": [
            "description": "Where the object is now", "schema": ["type": "string", "pattern": "^/v1/storages/"],
        ],
        "Part": [
            "required": true, "description": "Which bytes these are",
            "schema": ["type": "string", "pattern": "^bytes [0-9]+-[0-9]+/[0-9]+$"],
        ],
    ]

    private static func headers(of operation: Operation, status: String) -> JSONObject {
        var headers = JSONObject([.init(name: Wire.generation, value: OpenAPI.reference("headers", "Generation"))])
        switch operation {
        case .put, .create, .copy, .move, .duplicate:
            headers["Location"] = OpenAPI.reference("headers", "Place")
            headers["ETag"] = OpenAPI.reference("headers", "Tag")
        case .get, .head, .stat, .patch:
            headers["ETag"] = OpenAPI.reference("headers", "Tag")
        default: break
        }
        if status == "206" { headers["Content-Range"] = OpenAPI.reference("headers", "Part") }
        return headers
    }

    // MARK: - Failures

    /// What can become of any request: malformed, not allowed, too slow, too large, too many, our own fault.
    private static let common: Set<Int> = [400, 401, 403, 405, 408, 414, 417, 431, 500, 503]
    /// What a storage adds.
    private static let ofStorage: Set<Int> = [404, 409, 412, 429, 499, 501, 502, 504]
    /// What writing adds.
    private static let ofWriting: Set<Int> = [413, 415, 422, 507]

    private static func failures(of row: RouteRow) -> Set<Int> {
        let statuses = row.resource.template.contains("{storage}") ? common.union(ofStorage) : common
        switch row.operation {
        case .get: return statuses.union([416])
        case .put, .create, .patch, .copy, .move, .duplicate, .putStorage: return statuses.union(ofWriting)
        case .deleteMany: return statuses.union([413])
        case .createLink: return statuses.union([413, 415])
        case .createContainer: return statuses.union([507])
        case .activateProfile, .reload: return statuses.union([404, 409, 422, 501, 502, 504, 507])
        default: return statuses
        }
    }

    private static func problem(_ status: Int) -> JSONValue {
        switch status {
        case 405: OpenAPI.reference("responses", "NotAllowed")
        case 416: OpenAPI.reference("responses", "OutsideObject")
        case 429, 503: OpenAPI.reference("responses", "Later")
        default: OpenAPI.reference("responses", "Problem")
        }
    }

    private static func problem(_ description: String, _ fields: JSONValue) -> JSONValue {
        var headers = fields.objectValue ?? JSONObject()
        headers[Wire.generation] = OpenAPI.reference("headers", "Generation")
        return [
            "description": .string(description), "headers": .object(headers),
            "content": ["application/problem+json": ["schema": OpenAPI.reference("schemas", "Problem")]],
        ]
    }

    // MARK: - Successes

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
        case .createLink: [("200", answer("The link", "Link"))]
        case .listContainers: [("200", answer("The containers", "Containers"))]
        case .createContainer: [("201", answer("The container", "Container"))]
        case .deleteMany: [("200", answer("One result for each key", "DeletionResults"))]
        case .dropStorage, .delete, .removeContainer: [("204", plain("Gone"))]
        }
    }

    private static let listing: JSONValue = [
        "description": "A page, or every entry on a line of its own",
        "content": [
            "application/json": ["schema": OpenAPI.reference("schemas", "ListingPage")],
            "application/x-ndjson": ["schema": ["type": "string"]],
        ],
    ]

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

    /// The bytes of an object, whatever their type is said to be: no schema holds for them.
    private static func object(_ description: String) -> JSONValue {
        ["description": .string(description), "content": ["*/*": [:]]]
    }

    private static func plain(_ description: String) -> JSONValue { ["description": .string(description)] }
}
