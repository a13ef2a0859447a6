// `--require-healthy`: neither a start nor a switch with a store that cannot be reached.
import CofferTestSupport
import Testing

@Suite struct RequiredHealthTests {
    private let well = "storages: { m: { backend: memory } }\n"
    private let down =
        "storages: { m: { backend: memory }, f: { backend: fault, plan: [\"health error=unavailable\"] } }\n"

    private func refusal(_ configuration: String) throws -> String {
        try withTemporaryDirectory { folder in
            let host = try HostProcess(in: folder, configuration: configuration, arguments: ["--require-healthy"])
            let failure = #expect(throws: HostProcess.Failure.self) { try host.start() }
            host.stop()
            return failure?.description ?? ""
        }
    }

    @Test func aStartWithAStoreThatCannotBeReachedIsRefused() throws {
        let told = try refusal(down)
        #expect(told.contains("ended with 8:") && told.contains("f is not healthy: a fault of the plan"), "\(told)")
    }

    @Test func aStartWithAStoreThatCannotBeOpenedIsRefused() throws {
        let told = try refusal("storages: { f: { backend: fault, grades: [atomic_replace], on_conflict: replace } }\n")
        #expect(told.contains("ended with 8:") && told.contains("f is not healthy: "), "\(told)")
    }

    @Test func withoutItTheHostStarts() throws {
        try withHost(down) { host throws in
            #expect(try RawConnection(host.socket).request("GET", "/v1/storages/m/health").status == 200)
        }
    }

    @Test func aSwitchToAStoreThatCannotBeReachedChangesNothing() throws {
        try withHost(well, arguments: ["--require-healthy"]) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("m", "k", "v")
            try host.write(configuration: down)
            let refused = try connection.request("POST", "/v1/reload")
            #expect(try refused.status == 503 && refused.code() == "unavailable", "\(refused.text)")
            #expect(try connection.request("GET", "/v1/storages/f").status == 404)
            #expect(try connection.get("m", "k") == "v")
            try host.write(configuration: well)
            #expect(try connection.request("POST", "/v1/reload").status == 200)
        }
    }

    @Test func aContainerThatCouldNotBeMadeIsNotHealthy() throws {
        try withTemporaryDirectory { folder in
            try compilePlugin("tiny.c", to: "\(folder)/tiny.so", ["-DLINKS"])
            let told = try refusal(
                "plugins: { tiny: \(folder)/tiny.so }\n"
                    + "storages: { t: { backend: tiny, create: true, gate: \(folder)/gate } }\n"
            )
            #expect(told.contains("t is not healthy: the container t could not be made"), "\(told)")
        }
    }
}
