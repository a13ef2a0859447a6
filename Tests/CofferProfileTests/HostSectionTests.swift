// What a configuration says about the host itself, and which profile is active.

import CofferProfile
import Testing

@Suite("The host's sections")
struct HostSectionTests {
    private let storages = "storages: {a: {backend: memory}, b: {backend: memory}}\n"

    @Test(
        "plugins may be paths, mappings, or named",
        arguments: [
            ("plugins: [./x.so, {path: /y.so, sha256: \(digest), isolation: in_process}]", [nil, nil]),
            ("plugins: {x: ./x.so, y: {path: /y.so, sha256: \(digest), isolation: in_process}}", ["x", "y"]),
        ] as [(String, [String?])]
    )
    func plugins(_ text: String, _ ids: [String?]) throws {
        let configuration = try resolve(storages + text)
        #expect(configuration.plugins.map(\.id) == ids)
        #expect(configuration.plugins.map(\.path) == ["/c/x.so", "/y.so"])
        #expect(configuration.plugins.map(\.sha256) == [nil, Self.digest])
        #expect(configuration.plugins.map(\.isolation) == [.inProcess, .inProcess])
    }

    static let digest = String(repeating: "0af3", count: 16)

    @Test func pluginsAreKnownBeforeTheirOptionTables() throws {
        let text = try ConfigurationText.parse(
            Array("plugins: [x.so]\nstorages: {a: {backend: mine, colour: red}}\nprofiles: {p: }".utf8),
            path: "/c/coffer.yaml",
            sources: world()
        )
        #expect(text.plugins.map(\.path) == ["/c/x.so"])
        #expect(text.profileNames == ["p"])
        let mine = BackendSchema(id: "mine", options: [OptionSchema("colour", .string)])
        #expect(try text.resolve(backends: [mine]).option("colour", of: "a") == "red")
    }

    @Test func theSocketIsAPathOrAMapping() throws {
        #expect(try resolve(storages + "socket: ./s").socket == SocketSettings(path: "/c/s"))
        #expect(
            try resolve(storages + "socket: {path: /s, mode: 0660, group: staff}").socket
                == SocketSettings(path: "/s", mode: 0o660, group: "staff")
        )
        #expect(try resolve(storages + "socket: {mode: '0o666'}").socket == SocketSettings(mode: 0o666))
        #expect(try resolve(storages).socket == SocketSettings())
    }

    @Test func accessRulesAreTyped() throws {
        let text = """
            access:
              - {user: ann, allow: [upload, download, delete, manage]}
              - {uid: 33, allow: download, storages: [a, b], prefix: web/}
              - {group: staff, allow: [upload], storages: a}
              - {gid: 0, allow: [manage]}
            """
        let rules = try resolve(storages + text).access
        #expect(rules.map(\.subject) == [.user("ann"), .uid(33), .group("staff"), .gid(0)])
        #expect(rules.map(\.allow) == [[.upload, .download, .delete, .manage], [.download], [.upload], [.manage]])
        #expect(rules.map(\.storages) == [nil, ["a", "b"], ["a"], nil])
        #expect(rules.map(\.prefix) == ["", "web/", "", ""])
    }

    @Test func aRuleMayNameAStorageThatOnlyAnotherProfileHas() throws {
        let text = "access: [{uid: 1, allow: upload, storages: c}]\nprofiles: {p: {storages: {c: {backend: memory}}}}"
        #expect(try resolve(storages + text).access.first?.storages == ["c"])
    }

    @Test func aProfileHasAccessRulesAndADefaultOfItsOwn() throws {
        let text = """
            default_storage: b
            access: [{uid: 1, allow: upload}]
            profiles: {p: {access: [{uid: 2, allow: upload}], default_storage: a}}
            """
        #expect(try resolve(storages + text).access.map(\.subject) == [.uid(1)])
        #expect(try resolve(storages + text).defaultStorage == "b")
        #expect(try resolve(storages + text, profile: "p").access.map(\.subject) == [.uid(2)])
        #expect(try resolve(storages + text, profile: "p").defaultStorage == "a")
    }

    @Test func limitsAndWatchAreTyped() throws {
        let text = """
            watch: on
            limits: {connections: 10, threads: 4, calls_per_storage: 2, queue: 7, idle_timeout: 1m, drain_timeout: 5s}
            """
        let configuration = try resolve(storages + text)
        var limits = HostLimits()
        limits.connections = 10
        limits.threads = 4
        limits.callsPerStorage = 2
        limits.queue = 7
        limits.idleTimeout = 60_000
        limits.drainTimeout = 5_000
        #expect(configuration.limits == limits)
        #expect(configuration.watch)
        #expect(try resolve(storages).limits == HostLimits())
        #expect(try !resolve(storages).watch)
    }

    @Test func whoeverChoosesTheProfileIsNamed() throws {
        let text = try ConfigurationText.parse(
            Array((storages + "profile: p\nprofiles: {p: {}, q: {}}").utf8),
            path: "/c/coffer.yaml",
            sources: world()
        )
        #expect(try text.resolve(backends: backends).decidedBy.description == "/c/coffer.yaml:2:10")
        let chosen = try text.resolve(backends: backends, selection: ProfileSelection("q", by: .state))
        #expect(chosen.activeProfile == "q")
        #expect(chosen.decidedBy.description == "coffer profile use")
        let unknown = Result {
            try text.resolve(backends: backends, selection: ProfileSelection("qq", by: .argument("COFFER_PROFILE")))
        }
        guard case .failure(let error) = unknown else { return #expect(Bool(false), "not refused") }
        #expect("\(error)" == "error: no profile \"qq\" (from COFFER_PROFILE), expected p or q")
    }

    @Test func aStorageKnowsWhetherItsInstanceCanBeKept() throws {
        let old = try resolve("storages: {a: {backend: memory, timeout: 1s}}").storages[0]
        let same = try resolve("# moved\nstorages: {a: {backend: memory, timeout: 2s}}").storages[0]
        let other = try resolve("storages: {a: {backend: memory, size: 1MiB}}").storages[0]
        #expect(same.opensLike(old))
        #expect(!other.opensLike(old))
    }
}
