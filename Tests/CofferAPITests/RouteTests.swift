import CofferAPI
import CofferModel
import Testing

@Suite("A request finds its route")
struct RouteTests {
    static let routes: [(String, String, Route)] = [
        ("GET", "/v1/health", .health), ("GET", "/metrics", .metrics), ("GET", "/v1/openapi.json", .openapi),
        ("GET", "http://coffer/v1/version", .version), ("GET", "/v1/storages", .listStorages),
        ("GET", "/v1/storages/files", .getStorage("files", probe: false)),
        ("GET", "/v1/storages/files?probe=true", .getStorage("files", probe: true)),
        ("PUT", "/v1/storages/tmp", .putStorage("tmp")), ("DELETE", "/v1/storages/tmp", .dropStorage("tmp")),
        ("GET", "/v1/storages/files/health", .checkStorage("files")),
        ("POST", "/v1/profiles/production/activate", .activateProfile("production")), ("POST", "/v1/reload", .reload),
        ("GET", "/v1/storages/f/objects", .list("f", ListParameters())),
        (
            "GET", "/v1/storages/f/objects?prefix=a%2Fb&delimiter=/&limit=5&cursor=x%3D&start_after=a+b",
            .list("f", ListParameters(prefix: "a/b", delimiter: "/", startAfter: "a+b", cursor: "x=", limit: 5))
        ),
        ("GET", "/v1/storages/f/objects/a", .get("f", "a", version: nil, download: nil)),
        ("HEAD", "/v1/storages/f/objects/a", .head("f", "a", version: nil)),
        ("HEAD", "/v1/storages/f/objects", .list("f", ListParameters())),
        ("PUT", "/v1/storages/f/objects/a?on_conflict=rename", .put("f", "a", onConflict: .rename)),
        ("DELETE", "/v1/storages/f/objects/a", .delete("f", "a", version: nil)),
        (
            "DELETE", "/v1/storages/f/objects?prefix=a/&dry_run=true",
            .deletePrefix("f", DeletePrefixParameters(prefix: "a/", isDryRun: true))
        ),
        (
            "POST", "/v1/storages/f/objects?filename=x.png&location=in&name=uuid",
            .create("f", CreateParameters(filename: "x.png", location: "in"))
        ),
        ("GET", "/v1/storages/f/stat/a/b", .stat("f", "a/b", version: nil)),
        ("PATCH", "/v1/storages/f/stat/a", .patch("f", "a")), ("GET", "/v1/storages/f/url/a", .url("f", "a")),
        ("POST", "/v1/storages/f/links", .createLink("f")), ("GET", "/v1/storages/f/containers", .listContainers("f")),
        ("PUT", "/v1/storages/f/containers/a%2Fb%20c", .createContainer("f", container: "a/b c")),
        ("DELETE", "/v1/storages/f/containers/logs", .removeContainer("f", container: "logs")),
        ("POST", "/v1/storages/f/delete", .deleteMany("f")), ("POST", "/v1/storages/f/copy", .copy("f")),
        ("POST", "/v1/storages/f/move", .move("f")), ("POST", "/v1/storages/f/duplicate", .duplicate("f")),
    ]

    @Test(arguments: routes)
    func aTargetIsItsRoute(method: String, target: String, route: Route) throws {
        #expect(try Route.parse(method: method, target: target) == route)
    }

    @Test(arguments: routes.filter { $0.0 != "HEAD" || $0.1.contains("/a") })
    func aRouteSurvivesItsTarget(method: String, target: String, route: Route) throws {
        let request = route.request
        #expect(request.method == method)
        #expect(try Route.parse(method: request.method, target: request.target) == route)
    }

    @Test(arguments: [
        ("a/b.txt", "a/b.txt"), ("a%2Fb", "a/b"), ("a+b", "a+b"), ("a%2Bb", "a+b"), ("a%252Fb", "a%2Fb"),
        ("a//b", "a//b"),
        ("a/./b", "a/./b"), ("a/../b", "a/../b"), ("/a", "/a"), ("a/", "a/"), ("%C3%A9", "é"), ("e%CC%81", "e\u{301}"),
        ("a%3Fb%23c", "a?b#c"), ("a&b=c", "a&b=c"), ("%20", " "), ("objects", "objects"),
    ])
    func aKeyIsDecodedExactlyOnce(raw: String, key: String) throws {
        let route = try Route.parse(method: "GET", target: "/v1/storages/f/objects/\(raw)")
        #expect(route == .get("f", Key(key), version: nil, download: nil))
    }

    @Test(arguments: [
        "a", "a b", "a/b+c", "é/e\u{301}", "a//b", "/", ".", "..", "a/..", "x?y#z%", "a&b=c;d", "😀", "a/",
    ])
    func everyKeyTravels(key: String) throws {
        let routes: [Route] = [
            .get("f", Key(key), version: "v 1", download: ""), .put("f", Key(key), onConflict: .error),
            .delete("f", Key(key), version: nil), .stat("f", Key(key), version: nil), .url("f", Key(key)),
            .patch("f", Key(key)), .head("f", Key(key), version: nil),
        ]
        for route in routes {
            let request = route.request
            #expect(try Route.parse(method: request.method, target: request.target) == route)
            #expect(!request.target.contains("/../") && !request.target.contains("//"))
        }
    }

    @Test(arguments: [
        ("GET", "/v1/storages/f/objects/%00", "invalid_key", 400),
        ("GET", "/v1/storages/f/objects/%FF", "invalid_key", 400),
        ("GET", "/v1/storages/f/objects/%zz", "invalid_key", 400),
        ("GET", "/v1/storages/f/objects/a%2", "invalid_key", 400),
        ("GET", "/v1/storages/f/objects/", "invalid_key", 400),
        ("GET", "/v1/storages/f/objects/%0A", "invalid_key", 400),
        ("GET", "/v1/storages/f/object", "invalid_argument", 400),
        ("GET", "/v1/storages/f/object?key=", "invalid_key", 400),
        ("GET", "/v1/storages/f/objects?limit=0", "invalid_argument", 400),
        ("GET", "/v1/storages/f/objects?limit=x", "invalid_argument", 400),
        ("GET", "/v1/storages/f/objects?delimeter=/", "invalid_argument", 400),
        ("GET", "/v1/storages/f/objects?prefix=a&prefix=b", "invalid_argument", 400),
        ("PUT", "/v1/storages/f/objects/a?on_conflict=maybe", "invalid_argument", 400),
        ("DELETE", "/v1/storages/f/objects", "invalid_argument", 400),
        ("DELETE", "/v1/storages/f/objects?prefix=", "invalid_argument", 400),
        ("PUT", "/v1/storages/f/containers/", "invalid_argument", 400),
        ("PUT", "/v1/storages/f/containers/%FF", "invalid_argument", 400),
        ("PUT", "/v1/storages/f/containers/a/b", "not_found", 404),
        ("GET", "/v1/nothing", "not_found", 404), ("GET", "/", "not_found", 404), ("GET", "", "not_found", 404),
        ("GET", "/v2/health", "not_found", 404), ("GET", "/v1/health/x", "not_found", 404),
        ("GET", "*", "not_found", 404), ("GET", "/v1/storages/f/nothing", "not_found", 404),
        ("GET", "/v1/storages/%FF/objects", "invalid_argument", 400),
    ])
    func whatCannotBeIsRefused(method: String, target: String, code: String, status: Int) {
        let mismatch = #expect(throws: RouteMismatch.self) { try Route.parse(method: method, target: target) }
        #expect(mismatch?.error.code.rawValue == code)
        #expect(mismatch?.status ?? mismatch?.error.code.status == status)
    }

    @Test func anotherMethodIsToldWhatIsAllowed() {
        let mismatch = #expect(throws: RouteMismatch.self) {
            try Route.parse(method: "POST", target: "/v1/storages/f/objects/a")
        }
        #expect(mismatch?.status == 405)
        #expect(mismatch?.allow.sorted() == ["DELETE", "GET", "HEAD", "PUT"])
        let host = #expect(throws: RouteMismatch.self) { try Route.parse(method: "PUT", target: "/v1/health") }
        #expect(host?.allow == ["GET", "HEAD"])
    }

    @Test func everyLineOfTheTableIsReachable() throws {
        for row in RouteTable.rows {
            var target = row.resource.template
            for (name, value) in [("{storage}", "s"), ("{profile}", "p"), ("{container}", "c"), ("{key}", "k")] {
                target = target.split(separator: name, omittingEmptySubsequences: false).joined(separator: value)
            }
            if row.operation == .deletePrefix { target += "?prefix=a" }
            #expect(try Route.parse(method: row.method, target: target).operation == row.operation)
        }
        #expect(Set(RouteTable.rows.map(\.operation)) == Set(Operation.allCases))
    }
}
