import CofferJSON
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

/// Profiles that are switched, and configurations that are read again, while everything runs.
@Suite(.serialized) struct SwitchingTests {
    private let profiles = """
        profile: one
        storages:
          files: { backend: local, root: ./data/base, on_conflict: replace }
          scratch: { backend: memory, on_conflict: replace }
        profiles:
          one: {}
          two: { storages: { files: { root: ./data/two }, extra: { backend: memory } } }
          broken: { storages: { files: { backend: nothing } } }
          unopenable: { storages: { files: { root: /proc/nowhere } } }

        """

    private func switchTo(_ profile: String, _ connection: RawConnection) throws -> RawConnection.Answer {
        try connection.request("POST", "/v1/profiles/\(profile)/activate")
    }

    @Test func aSwitchChangesWhatANameMeans() throws {
        try withHost(profiles.replacingBroken()) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("files", "k", "one")
            try connection.put("scratch", "k", "kept")
            #expect(try switchTo("two", connection).status == 200)
            #expect(try connection.get("files", "k") == nil)
            try connection.put("files", "k", "two")
            #expect(try connection.request("GET", "/v1/storages/extra").status == 200)
            // What did not change keeps its store.
            #expect(try connection.get("scratch", "k") == "kept")
            #expect(try switchTo("one", connection).status == 200)
            #expect(try connection.get("files", "k") == "one")
            #expect(try connection.request("GET", "/v1/storages/extra").status == 404)
            let unknown = try switchTo("three", connection)
            #expect(unknown.status == 404)
            #expect(unknown.text.contains("one, two"))
        }
    }

    @Test func aSwitchThatCannotBeKeepsWhatIs() throws {
        try withHost(profiles.replacingBroken()) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("files", "k", "one")
            let answer = try switchTo("unopenable", connection)
            #expect(answer.status >= 400)
            #expect(answer.text.contains("files"), "\(answer.text)")
            #expect(try connection.get("files", "k") == "one")
            let list = try connection.request("GET", "/v1/profiles").json()
            #expect(list["active"]?.stringValue == "one")
        }
    }

    @Test func aReloadTakesOverTheTextOrNothing() throws {
        try withHost(profiles.replacingBroken()) { host in
            let connection = try RawConnection(host.socket)
            try host.write(configuration: "storages:\n  files: { backend: memory }\n  files: { backend: local }\n")
            let refused = try connection.request("POST", "/v1/reload")
            #expect(refused.status == 422)
            #expect(try refused.code() == "config_invalid")
            #expect(refused.text.contains("coffer.yaml:"), "\(refused.text)")
            #expect(try connection.request("GET", "/v1/storages/scratch").status == 200)
            try host.write(configuration: "storages: { other: { backend: memory } }\n")
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            #expect(try connection.request("GET", "/v1/storages/other").status == 200)
            #expect(try connection.request("GET", "/v1/storages/scratch").status == 404)
        }
    }

    @Test func theChoiceOfAProfileOutlivesTheHost() throws {
        try withTemporaryDirectory { folder in
            let host = try HostProcess(in: folder, configuration: profiles.replacingBroken())
            try host.start()
            #expect(try switchTo("two", try RawConnection(host.socket)).status == 200)
            host.stop()
            try host.start()
            defer { host.stop() }
            let list = try RawConnection(host.socket).request("GET", "/v1/profiles").json()
            #expect(list["active"]?.stringValue == "two")
            #expect(list["decided_by"]?.stringValue?.contains("profile use") == true, "\(list)")
        }
    }

    @Test func fiveHundredSwitchesUnderLoadFailNobody() throws {
        try withHost(profiles.replacingBroken()) { host in
            let socket = host.socket
            let warm = try RawConnection(socket)
            try warm.put("scratch", "k", "v")
            for profile in ["two", "one"] { _ = try switchTo(profile, warm) }
            let isOver = Locked(false)
            let (descriptors, threads) = (host.descriptorCount, host.threadCount)
            let results = try onThreads(5) { index -> Int in
                let connection = try RawConnection(socket)
                var requests = 0
                if index == 0 {
                    for round in 0..<500 {
                        let answer =
                            round % 5 == 4
                            ? try connection.request("POST", "/v1/reload")
                            : try switchTo(round % 2 == 0 ? "two" : "one", connection)
                        #expect(answer.status == 200, "\(answer.text)")
                    }
                    isOver.withLock { $0 = true }
                    return 500
                }
                while !isOver.withLock({ $0 }) {
                    let put = try connection.request("PUT", "/v1/storages/files/objects/w\(index)", body: [1, 2, 3])
                    #expect(put.status == 200 || put.status == 201, "\(put.text)")
                    let get = try connection.request("GET", "/v1/storages/scratch/objects/k")
                    #expect(get.text == "v", "\(get.status)")
                    requests += 2
                }
                return requests
            }
            #expect(results.dropFirst().allSatisfy { $0 > 0 })
            let metrics = try RawConnection(socket).request("GET", "/metrics").text
            let instances = metrics.split(separator: "\n").first { $0.hasPrefix("coffer_instances ") }
            #expect(instances == "coffer_instances 2" || instances == "coffer_instances 3", "\(instances ?? "")")
            #expect(host.descriptorCount <= descriptors + 10, "\(descriptors) then \(host.descriptorCount)")
            #expect(host.threadCount <= threads + 16, "\(threads) then \(host.threadCount)")
        }
    }

    @Test func aStorageCanBeMadeAndDroppedAtRunTime() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let settings = Array(#"{"backend":"memory","on_conflict":"replace"}"#.utf8)
            let made = try connection.request("PUT", "/v1/storages/temp", body: settings)
            #expect(made.status == 201, "\(made.text)")
            #expect(try made.json()["ephemeral"]?.boolValue == true)
            try connection.put("temp", "k", "v")
            #expect(try connection.request("PUT", "/v1/storages/temp", body: settings).status == 409)
            let wrong = try connection.request(
                "PUT",
                "/v1/storages/t2",
                body: Array(#"{"backend":"memory","sise":1}"#.utf8)
            )
            #expect(wrong.status == 422)
            #expect(wrong.text.contains("sise"), "\(wrong.text)")
            #expect(try connection.request("DELETE", "/v1/storages/temp").status == 204)
            #expect(try connection.request("GET", "/v1/storages/temp").status == 404)
            #expect(try connection.request("DELETE", "/v1/storages/files").status == 400)
        }
    }
}

extension String {
    /// The configuration without the profile whose text is wrong: that one refuses every start.
    fileprivate func replacingBroken() -> String {
        split(separator: "\n").filter { !$0.contains("broken:") }.joined(separator: "\n") + "\n"
    }
}
