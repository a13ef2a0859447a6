import CofferJSON
import CofferModel

/// The named parts of the OpenAPI document.
enum OpenAPISchemas {
    static var components: JSONValue {
        [
            "parameters": parameters,
            "responses": OpenAPIResponses.components,
            "headers": OpenAPIResponses.headers,
            "schemas": schemas,
        ]
    }

    private static let parameters: JSONValue = [
        "storage": path("storage", "The storage's name"),
        "profile": path("profile", "The profile's name"),
        "container": path("container", "The container's name"),
        "key": [
            "name": "key", "in": "path", "required": true,
            "description": "The key, percent-encoded once; its slashes may stay as they are",
            "schema": key,
        ],
        "key_in_query": [
            "name": "key", "in": "query", "required": true,
            "description": "The key, for clients that normalise paths",
            "schema": key,
        ],
        "if_match": field("If-Match", "Only if the object has one of these tokens, or *", "^(\\*|\"[a-z0-9]+\")$"),
        "if_none_match": field("If-None-Match", "Only if it has none of them; * means absent", "^(\\*|\"[a-z0-9]+\")$"),
        "if_absent": field("If-None-Match", "Only if there is no object yet", "^\\*$"),
        "range": field("Range", "One range of bytes; anything else is ignored", "^bytes=[0-9]{1,9}-$"),
    ]

    // NUL and other control characters, and nothing else, are refused in every position.
    private static let key: JSONValue = [
        "type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^[^\\u0000-\\u001f\\u007f]+$",
    ]

    private static func path(_ name: String, _ description: String) -> JSONValue {
        [
            "name": .string(name), "in": "path", "required": true, "description": .string(description),
            "schema": ["type": "string", "minLength": 1],
        ]
    }

    private static func field(_ name: String, _ description: String, _ pattern: String) -> JSONValue {
        [
            "name": .string(name), "in": "header", "description": .string(description),
            "schema": ["type": "string", "pattern": .string(pattern)],
        ]
    }

    private static let text: JSONValue = ["type": "string"]
    private static let number: JSONValue = ["type": "integer", "format": "int64"]
    private static let truth: JSONValue = ["type": "boolean"]
    private static let textOrNull: JSONValue = ["type": ["string", "null"]]
    private static let numberOrNull: JSONValue = ["type": ["integer", "null"], "format": "int64"]
    private static let time: JSONValue = ["type": "string", "format": "date-time"]
    private static let timeOrNull: JSONValue = ["type": ["string", "null"], "format": "date-time"]
    private static let texts: JSONValue = ["type": "object", "additionalProperties": ["type": "string"]]
    private static let problemOrNull: JSONValue = [
        "anyOf": [OpenAPI.reference("schemas", "Problem"), ["type": "null"]]
    ]

    private static func list(of schema: JSONValue) -> JSONValue { ["type": "array", "items": schema] }

    private static func all(of schema: String) -> JSONValue { list(of: OpenAPI.reference("schemas", schema)) }

    /// An object with these members; all are there, in answers and requests, unless `optional`.
    private static func object(
        _ members: [(name: String, schema: JSONValue)],
        optional: [(name: String, schema: JSONValue)] = [],
        isClosed: Bool = false
    ) -> JSONValue {
        var properties = JSONObject()
        for member in members + optional { properties[member.name] = member.schema }
        var schema: JSONObject = JSONObject([
            .init(name: "type", value: "object"), .init(name: "properties", value: .object(properties)),
        ])
        if !members.isEmpty { schema["required"] = .array(members.map { .string($0.name) }) }
        if isClosed { schema["additionalProperties"] = false }
        return .object(schema)
    }

    private static let schemas: JSONValue = .object(JSONObject(answers + requests))

    private static var answers: [JSONObject.Member] {
        [
            .init(
                name: "Problem",
                value: object(
                    [
                        ("type", text), ("title", text), ("status", number), ("detail", text), ("code", codes),
                        ("retryable", truth),
                    ],
                    optional: [("storage", text), ("key", text), ("maybe_applied", truth), ("retry_after", number)]
                )
            ),
            .init(
                name: "Object",
                value: object([
                    ("storage", text), ("backend", text), ("key", text), ("size", numberOrNull), ("etag", textOrNull),
                    ("version", textOrNull), ("modified", timeOrNull), ("created", timeOrNull),
                    ("content_type", textOrNull), ("content_encoding", textOrNull), ("content_disposition", textOrNull),
                    ("content_language", textOrNull), ("cache_control", textOrNull), ("checksum", checksum),
                    ("metadata", ["type": ["object", "null"], "additionalProperties": ["type": "string"]]),
                    ("generation", number),
                ])
            ),
            .init(
                name: "ListingPage",
                value: object([("objects", all(of: "Object")), ("prefixes", list(of: text)), ("cursor", textOrNull)])
            ),
            .init(
                name: "PrefixDeletion",
                value: object([
                    ("count", number), ("dry_run", truth), ("keys", list(of: text)), ("failures", all(of: "Problem")),
                ])
            ),
            .init(
                name: "DeletionResults",
                value: object([
                    ("results", list(of: object([("key", text), ("deleted", truth), ("problem", problemOrNull)])))
                ])
            ),
            .init(name: "URL", value: object([("url", text)])),
            .init(
                name: "Link",
                value: object([
                    ("url", text), ("method", methods), ("required_headers", texts), ("expires_at", time),
                ])
            ),
            .init(name: "Container", value: object([("name", text), ("created", timeOrNull)])),
            .init(name: "Containers", value: object([("containers", all(of: "Container"))])),
            .init(name: "Version", value: object([("version", text), ("api", text), ("abi", text)])),
            .init(
                name: "Health",
                value: object([
                    ("status", ["type": "string", "enum": ["ok", "degraded"]]), ("profile", textOrNull),
                    ("generation", number),
                    (
                        "storages",
                        list(
                            of: object([
                                ("name", text), ("backend", text), ("state", state), ("problem", problemOrNull),
                                ("warning", problemOrNull),
                            ])
                        )
                    ),
                ])
            ),
            .init(
                name: "StorageHealth",
                value: object([("storage", text), ("status", text), ("milliseconds", number), ("details", texts)])
            ),
            .init(
                name: "Storage",
                value: object([
                    ("name", text), ("backend", text), ("default", truth), ("ephemeral", truth), ("state", state),
                    ("problem", problemOrNull), ("warning", problemOrNull), ("url", textOrNull),
                    ("capabilities", capabilities), ("facts", list(of: text)), ("limits", ["type": "object"]),
                    ("policy", texts), ("probe", probe), ("generation", number),
                ])
            ),
            .init(
                name: "Storages",
                value: object([("storages", all(of: "Storage")), ("default", textOrNull), ("generation", number)])
            ),
            .init(name: "Plugins", value: object([("plugins", list(of: ["type": "object"]))])),
            .init(
                name: "Profiles",
                value: object([
                    ("profiles", list(of: object([("name", text), ("extends", textOrNull), ("active", truth)]))),
                    ("active", textOrNull), ("decided_by", text), ("generation", number),
                ])
            ),
            .init(name: "Activation", value: object([("profile", textOrNull), ("generation", number)])),
        ]
    }

    private static var requests: [JSONObject.Member] {
        let rule: JSONValue = ["type": ["string", "null"], "enum": ["error", "replace", "rename", .null]]
        return [
            .init(
                name: "Transfer",
                value: object(
                    [("from", key), ("to", key)],
                    optional: [("to_storage", textOrNull), ("on_conflict", rule), ("source_if_match", textOrNull)],
                    isClosed: true
                )
            ),
            .init(
                name: "Duplication",
                value: object(
                    [("from", key)],
                    optional: [("to_storage", textOrNull), ("source_if_match", textOrNull)],
                    isClosed: true
                )
            ),
            .init(
                name: "LinkRequest",
                value: object(
                    [("key", key)],
                    optional: [
                        ("method", ["type": ["string", "null"], "enum": ["GET", "HEAD", "PUT", "DELETE", .null]]),
                        ("expires_in", ["type": ["integer", "null"], "format": "int64", "minimum": 1]),
                        ("content_type", ["type": ["string", "null"], "pattern": "^[!-~]([ -~]*[!-~])?$"]),
                        (
                            "filename",
                            [
                                "type": ["string", "null"], "minLength": 1, "maxLength": 255,
                                "pattern": "^[^\\u0000-\\u001f\\u007f]+$",
                            ]
                        ),
                        ("size", ["type": ["integer", "null"], "format": "int64", "minimum": 0]),
                    ],
                    isClosed: true
                )
            ),
            .init(
                name: "Deletion",
                value: object(
                    [
                        (
                            "keys",
                            [
                                "type": "array", "maxItems": 10_000,
                                "items": [
                                    "oneOf": [
                                        ["type": "string"],
                                        object([("key", text)], optional: [("if_match", textOrNull)], isClosed: true),
                                    ]
                                ],
                            ]
                        )
                    ],
                    isClosed: true
                )
            ),
            .init(
                name: "MetadataChange",
                value: object(
                    [],
                    optional: [
                        "content_type", "content_encoding", "content_disposition", "content_language", "cache_control",
                    ].map { ($0, ["type": ["string", "null"], "pattern": "^[!-~]([ -~]*[!-~])?$"]) } + [
                        (
                            "metadata",
                            [
                                "type": ["object", "null"],
                                "propertyNames": ["pattern": "^[a-z0-9._-]+$"],
                                "additionalProperties": ["type": ["string", "null"]],
                            ]
                        )
                    ],
                    isClosed: true
                )
            ),
            .init(name: "EphemeralStorage", value: object([("backend", text)])),
        ]
    }

    private static var codes: JSONValue {
        ["type": "string", "enum": .array(ErrorTable.rows.map { .string($0.code.rawValue) })]
    }

    private static let methods: JSONValue = [
        "type": "string", "enum": .array(LinkMethod.allCases.map { .string($0.rawValue) }),
    ]

    private static let probe: JSONValue = [
        "type": ["array", "null"],
        "items": object([
            ("capability", text), ("verdict", ["type": "string", "enum": ["kept", "ignored", "unknown"]]),
            ("detail", text),
        ]),
    ]

    private static let state: JSONValue = ["type": "string", "enum": ["open", "failed"]]

    private static let checksum: JSONValue = [
        "type": ["object", "null"], "required": ["algorithm", "value"],
        "properties": ["algorithm": ["type": "string"], "value": ["type": "string"]],
    ]

    private static var capabilities: JSONValue {
        let entry: JSONValue = object([
            ("grade", ["type": "string", "enum": .array(Grade.allCases.map { .string($0.rawValue) })]),
            ("reason", textOrNull),
        ])
        return object(Capability.allCases.map { ($0.rawValue, entry) })
    }
}
