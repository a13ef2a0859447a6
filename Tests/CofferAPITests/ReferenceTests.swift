import CofferAPI
import CofferModel
import CofferTestSupport
import Testing

/// `docs/rpc.md` leaves nothing of the contract out.
struct ReferenceTests {
    private let page: String

    init() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        page = try #require(readWholeFile("/\(root)/docs/rpc.md"))
    }

    @Test(arguments: RouteTable.rows.map { "\($0.method) \($0.resource.template)" })
    func everyRouteHasASection(route: String) {
        #expect(page.contains("\n### \(route)\n"))
    }

    @Test func everyRouteHasAnExample() {
        let routes = page.split(separator: "\n### ").filter { section in
            RouteTable.rows.contains { section.hasPrefix("\($0.method) /") }
        }
        #expect(routes.count == RouteTable.rows.count)
        for section in routes {
            #expect(section.contains("\n$ curl "), "\(section.prefix { $0 != "\n" })")
        }
    }

    @Test(arguments: RouteTable.rows.flatMap(\.query).map(\.name))
    func everyParameterIsNamed(parameter: String) {
        #expect(page.contains("`\(parameter)") || page.contains("\(parameter)="))
    }

    @Test(arguments: ErrorTable.rows.map { "| `\($0.code.rawValue)` | \($0.status) | \($0.exitCode) | " })
    func everyErrorIsInTheTable(row: String) {
        #expect(page.contains("\n\(row)"))
    }
}
