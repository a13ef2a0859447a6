// Containers through the socket, and the one that a storage wants for itself.
import CofferJSON
import CofferTestSupport
import Glibc
import Testing

@Suite struct ContainerTests {
    private let storages = """
        storages:
          files: { backend: tiny, on_conflict: replace, container: bucket, create: true }
          named: { backend: tiny, create: true }
          plain: { backend: memory, on_conflict: replace }

        """

    private func names(_ storage: String, _ connection: RawConnection) throws -> [String] {
        let answer = try connection.request("GET", "/v1/storages/\(storage)/containers")
        #expect(answer.status == 200, "\(answer.text)")
        return (try answer.json()["containers"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
    }

    @Test func containersAreMadeListedAndRemoved() throws {
        try withLinkingHost(storages) { _, connection throws in
            let made = try connection.request("PUT", "/v1/storages/files/containers/a%20b")
            #expect(made.status == 201, "\(made.text)")
            #expect(try made.json()["name"]?.stringValue == "a b")
            #expect(try names("files", connection) == ["a b", "bucket"])
            let again = try connection.request("PUT", "/v1/storages/files/containers/a%20b")
            #expect(try again.status == 409 && again.code() == "already_exists")
            #expect(try connection.request("DELETE", "/v1/storages/files/containers/a%20b").status == 204)
            let gone = try connection.request("DELETE", "/v1/storages/files/containers/a%20b")
            #expect(try gone.status == 404 && gone.code() == "not_found")
            try connection.put("files", "k", "v")
            let full = try connection.request("DELETE", "/v1/storages/files/containers/bucket")
            #expect(try full.status == 409 && full.code() == "not_empty")
            let none = try connection.request("GET", "/v1/storages/plain/containers")
            #expect(try none.status == 501 && none.code() == "unsupported")
            #expect(none.text.contains("storage plain has no containers: "), "\(none.text)")
            for name in ["..", "a%2Fb", "%0A"] {
                let refused = try connection.request("PUT", "/v1/storages/files/containers/\(name)")
                #expect(refused.status == 400, "\(name): \(refused.text)")
            }
        }
    }

    @Test func theStoragesOwnContainerIsThereBeforeTheHostIsReady() throws {
        try withLinkingHost(storages) { host, connection throws in
            #expect(try names("files", connection) == ["bucket"])
            #expect(try names("named", connection) == ["named"])
            // A reload finds it there; one that was removed meanwhile is made again.
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            #expect(try connection.request("DELETE", "/v1/storages/files/containers/bucket").status == 204)
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            #expect(try names("files", connection) == ["bucket"])
            #expect(!host.log.contains("could not be made"), "\(host.log)")
        }
    }

    @Test func aStorageMadeAtRunTimeGetsItsContainer() throws {
        try withLinkingHost(storages) { _, connection throws in
            let body = Array(#"{"backend":"tiny","create":"true","container":"late"}"#.utf8)
            #expect(try connection.request("PUT", "/v1/storages/more", body: body).status == 201)
            #expect(try names("more", connection) == ["late"])
        }
    }

    @Test func aStoreThatCannotBeReachedRefusesNothingAndIsTriedAgain() throws {
        let text = "storages: { files: { backend: tiny, create: true, on_conflict: replace, gate: FOLDER/gate } }\n"
        try withLinkingHost(text) { host, connection throws in
            try connection.put("files", "k", "v")
            let health = try connection.request("GET", "/v1/health").json()
            #expect(health["status"]?.stringValue == "degraded")
            #expect(health["storages"]?.arrayValue?.first?["state"]?.stringValue == "open")
            let storage = try connection.request("GET", "/v1/storages/files").json()
            #expect(storage["state"]?.stringValue == "open" && storage["problem"]?.isNull == true)
            let words = "the container files could not be made: the store cannot be reached"
            #expect(storage["warning"]?["detail"]?.stringValue == words)
            #expect(storage["warning"]?["code"]?.stringValue == "unavailable")
            #expect(host.log.contains("storage files: \(words)"), "\(host.log)")
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            let plugin = host.pluginFolder
            try write([], to: "\(plugin)/gate")
            #expect(
                try eventually {
                    try connection.request("GET", "/v1/health").json()["status"]?.stringValue == "ok"
                }
            )
            #expect(try names("files", connection) == ["files"])
            #expect(try connection.get("files", "k") == "v")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func containersAreForWhoeverMayManage() throws {
        let rules = """
            access:
              - { uid: 4001, allow: [upload, download, delete] }
              - { uid: 4002, allow: manage }

            """
        try withLinkingHost(rules + storages) { host, _ throws in
            for (method, target) in [("GET", ""), ("PUT", "/x"), ("DELETE", "/x")] {
                let place = "/v1/storages/files/containers\(target)"
                #expect(try host.ask(as: 4001, method, place).status == 403)
                #expect([200, 201, 204].contains(try host.ask(as: 4002, method, place).status))
            }
        }
    }

    @Test func whatAProbeFoundIsShown() throws {
        try withLinkingHost(storages) { _, connection throws in
            func probe(_ query: String) throws -> [String] {
                let answer = try connection.request("GET", "/v1/storages/plain\(query)").json()
                return (answer["probe"]?.arrayValue ?? []).map {
                    "\($0["capability"]?.stringValue ?? "") \($0["verdict"]?.stringValue ?? "")"
                }
            }
            #expect(try probe("").isEmpty)
            let found = ["create_if_absent kept", "if_match kept", "remove_if_match kept", "copy_condition kept"]
            #expect(try probe("?probe=true") == found)
            #expect(try probe("") == found)
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            #expect(try probe("") == found, "the same store is proven in the next generation too")
        }
    }
}

extension HostProcess {
    /// The folder of the plugin that `withLinkingHost` compiled.
    fileprivate var pluginFolder: String {
        let line = readWholeFile("\(folder)/coffer.yaml")?.split(separator: "\n").first { $0.contains("tiny: ") }
        let path = line?.split(separator: " ").last.map(String.init) ?? ""
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}
