import CofferJSON

/// What each operation takes, for the OpenAPI document.
enum OpenAPIBodies {
    /// The body of a request; nil where it takes none.
    static func request(of operation: Operation) -> JSONValue? {
        switch operation {
        case .put: bytes
        case .create: creation
        case .patch: json("MetadataChange")
        case .putStorage: json("EphemeralStorage")
        case .deleteMany: json("Deletion")
        case .copy, .move: json("Transfer")
        case .duplicate: json("Duplication")
        case .createLink: json("LinkRequest")
        default: nil
        }
    }

    /// The fields of the head that matter to an operation, by the names of their parameters.
    static func headers(of operation: Operation) -> [String] {
        switch operation {
        case .get: ["if_match", "if_none_match", "range"]
        case .head, .stat: ["if_match", "if_none_match"]
        case .put: ["if_match", "if_absent"]
        case .delete, .patch: ["if_match"]
        default: []
        }
    }

    private static let bytes: JSONValue = [
        "content": ["*/*": ["schema": ["type": "string", "format": "binary"]]]
    ]

    /// Bytes as they are, or a form with one file; the fields of the form stand before it.
    private static let creation: JSONValue = [
        "content": [
            "*/*": ["schema": ["type": "string", "format": "binary"]],
            "multipart/form-data": [
                "schema": [
                    "type": "object", "required": ["file"], "additionalProperties": false,
                    "properties": [
                        "filename": ["type": "string", "maxLength": 255],
                        "location": ["type": "string", "maxLength": 255],
                        "file": ["type": "string", "format": "binary"],
                    ],
                ]
            ],
        ]
    ]

    private static func json(_ schema: String) -> JSONValue {
        ["required": true, "content": ["application/json": ["schema": OpenAPI.reference("schemas", schema)]]]
    }
}
