import CofferJSON

/// The contract as an OpenAPI 3.1 document, made of the table of routes.
package enum OpenAPI {
    /// The document as JSON.
    package static let document: [UInt8] = make().bytes(isIndented: true)

    private static func make() -> JSONValue {
        var paths = JSONObject()
        for resource in Resource.allCases {
            // A resource by query is the same operations with the key elsewhere.
            let rows = RouteTable.rows.filter { $0.resource == resource || $0.resource.byQuery == resource }
            guard !rows.isEmpty else { continue }
            var item = JSONObject()
            for row in rows { item[row.method.lowercased()] = operation(row, at: resource) }
            paths[resource.template] = .object(item)
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Coffer", "version": "1",
                "description": "Objects in named storages, over HTTP/1.1 on a Unix socket.",
                "license": ["name": "Apache-2.0"],
            ],
            "servers": [["url": "http://coffer", "description": "the host part of the URL means nothing on a socket"]],
            "paths": .object(paths),
            "components": OpenAPISchemas.components,
        ]
    }

    private static func operation(_ row: RouteRow, at resource: Resource) -> JSONValue {
        var operation = JSONObject()
        let suffix = resource == row.resource ? "" : "_by_query"
        operation["operationId"] = .string(row.operation.rawValue + suffix)
        operation["summary"] = .string(row.summary)
        let parameters = parameters(row, at: resource)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = OpenAPIBodies.request(of: row.operation) { operation["requestBody"] = body }
        operation["responses"] = OpenAPIResponses.of(row)
        return .object(operation)
    }

    private static func parameters(_ row: RouteRow, at resource: Resource) -> [JSONValue] {
        var parameters: [JSONValue] = []
        for name in ["storage", "profile", "container", "key"] where resource.template.contains("{\(name)}") {
            parameters.append(reference("parameters", name))
        }
        if resource != row.resource { parameters.append(reference("parameters", "key_in_query")) }
        for parameter in row.query {
            let schema: JSONValue
            switch parameter.kind {
            case .text(let limit): schema = ["type": "string", "maxLength": .integer(Int64(limit))]
            case .cursor: schema = ["type": "string", "minLength": 1]
            case .integer: schema = ["type": "integer", "minimum": 1, "maximum": 10_000]
            case .bool: schema = ["type": "boolean"]
            case .choice(let words): schema = ["type": "string", "enum": .array(words.map { .string($0) })]
            }
            parameters.append([
                "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
                "description": .string(parameter.summary), "schema": schema,
            ])
        }
        for name in OpenAPIBodies.headers(of: row.operation) { parameters.append(reference("parameters", name)) }
        return parameters
    }

    static func reference(_ kind: String, _ name: String) -> JSONValue {
        ["$ref": .string("#/components/\(kind)/\(name)")]
    }
}
