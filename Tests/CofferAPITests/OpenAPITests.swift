import CofferAPI
import CofferJSON
import CofferModel
import Testing

@Suite("The contract says what the table of routes says")
struct OpenAPITests {
    private let document: JSONValue

    init() throws { document = try JSONValue(parsing: OpenAPI.document) }

    /// What a reference names; the value itself where it is none.
    private func resolved(_ value: JSONValue?) -> JSONValue? {
        guard let path = value?["$ref"]?.stringValue else { return value }
        var found: JSONValue? = document
        for name in path.dropFirst(2).split(separator: "/") { found = found?[String(name)] }
        return found
    }

    @Test func everyRouteStandsInIt() {
        var ids: [String] = []
        for row in RouteTable.rows {
            for resource in [row.resource, row.resource.byQuery].compactMap({ $0 }) {
                let operation = document["paths"]?[resource.template]?[row.method.lowercased()]
                #expect(operation != nil, "\(row.method) \(resource.template)")
                ids.append(operation?["operationId"]?.stringValue ?? "")
                let parameters = (operation?["parameters"]?.arrayValue ?? []).compactMap { resolved($0) }
                let query = parameters.filter { $0["in"]?.stringValue == "query" }.compactMap {
                    $0["name"]?.stringValue
                }
                let own = row.query.map(\.name)
                #expect(query == (resource == row.resource ? own : ["key"] + own))
            }
        }
        #expect(Set(ids).count == ids.count)
    }

    @Test func itHasNoOtherRoute() {
        let paths = document["paths"]?.objectValue ?? JSONObject()
        let operations = paths.reduce(0) { $0 + ($1.value.objectValue?.members.count ?? 0) }
        #expect(operations == RouteTable.rows.reduce(0) { $0 + ($1.resource.byQuery == nil ? 1 : 2) })
    }

    @Test func everyErrorCodeStandsInIt() {
        let codes = document["components"]?["schemas"]?["Problem"]?["properties"]?["code"]?["enum"]?.arrayValue ?? []
        #expect(codes.compactMap(\.stringValue) == ErrorTable.rows.map(\.code.rawValue))
    }

    @Test func everyErrorStatusIsSomebodysAnswer() {
        var statuses: Set<String> = []
        for path in document["paths"]?.objectValue ?? JSONObject() {
            for operation in path.value.objectValue ?? JSONObject() {
                for response in operation.value["responses"]?.objectValue ?? JSONObject() {
                    statuses.insert(response.name)
                }
            }
        }
        for row in ErrorTable.rows { #expect(statuses.contains(String(row.status)), "\(row.code.rawValue)") }
    }

    @Test func everyAnswerNamesItsGeneration() {
        for path in document["paths"]?.objectValue ?? JSONObject() {
            for operation in path.value.objectValue ?? JSONObject() {
                for response in operation.value["responses"]?.objectValue ?? JSONObject() {
                    let header = resolved(resolved(response.value)?["headers"]?["Coffer-Generation"])
                    #expect(header?["required"]?.boolValue == true, "\(operation.name) \(path.name) \(response.name)")
                }
            }
        }
    }

    @Test func everyReferenceNamesSomething() {
        var references: [String] = []
        func collect(_ value: JSONValue) {
            for member in value.objectValue ?? JSONObject() {
                if member.name == "$ref", let path = member.value.stringValue { references.append(path) }
                collect(member.value)
            }
            for element in value.arrayValue ?? [] { collect(element) }
        }
        collect(document)
        #expect(!references.isEmpty)
        for path in Set(references) { #expect(resolved(["$ref": .string(path)]) != nil, "\(path)") }
    }

    @Test func everyParameterOfAPathIsDeclared() {
        for path in document["paths"]?.objectValue ?? JSONObject() {
            let names = path.name.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                String($0.dropFirst().dropLast())
            }
            for operation in path.value.objectValue ?? JSONObject() {
                let parameters = (operation.value["parameters"]?.arrayValue ?? []).compactMap { resolved($0) }
                let declared = parameters.filter { $0["in"]?.stringValue == "path" }
                #expect(declared.compactMap { $0["name"]?.stringValue } == names, "\(path.name)")
                for parameter in declared { #expect(parameter["required"]?.boolValue == true) }
            }
        }
    }
}
