// What the host does on top of a store that lacks it, what it refuses to do, and how it says so.
import CofferJSON
import CofferTestSupport
import Testing

@Suite struct EmulationTests {
    private func capabilities(_ storage: String, _ connection: RawConnection) throws -> JSONValue? {
        try connection.request("GET", "/v1/storages/\(storage)").json()["capabilities"]
    }

    private func grade(_ capabilities: JSONValue?, _ name: String) -> String? {
        capabilities?[name]?["grade"]?.stringValue ?? capabilities?[name]?.stringValue
    }

    @Test func everyGradeIsShownAndExplained() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let bare = try capabilities("bare", connection)
            for name in leftOut.split(separator: ",").map({ String($0).trimmed }) {
                #expect(grade(bare, name) == "emulated", "\(name): \(String(describing: bare))")
                #expect(bare?[name]?["reason"]?.stringValue?.isEmpty == false, "\(name)")
            }
            #expect(
                bare?["if_match"]?["reason"]?.stringValue
                    == "kept under the host's own lock, as writers: exclusive allows"
            )
            #expect(grade(bare, "write") == "native")
            #expect(grade(bare, "public_url") == "none")
            #expect(grade(try capabilities("files", connection), "create_if_absent") == "native")
            #expect(grade(try capabilities("files", connection), "public_url") == "emulated")
        }
    }

    @Test func aStoreThatMustNotBeEmulatedIsNot() throws {
        let text =
            "storages: { s: { backend: fault, grades: [copy, move, list_sorted], no_emulation: [copy, move] } }\n"
        try withHost(text) { host in
            let connection = try RawConnection(host.socket)
            let found = try capabilities("s", connection)
            #expect(grade(found, "copy") == "none" && grade(found, "move") == "none", "\(String(describing: found))")
            #expect(grade(found, "list_sorted") == "emulated")
            try connection.put("s", "a", "x")
            for verb in ["copy", "move"] {
                let body = Array(#"{"from":"a","to":"b"}"#.utf8)
                let answer = try connection.request("POST", "/v1/storages/s/\(verb)", body: body)
                #expect(answer.status == 501)
                #expect(try answer.code() == "unsupported")
            }
            #expect(try connection.keys("s") == ["a"])
        }
    }

    @Test(arguments: [
        (
            "on_conflict: error, unproven: [create_if_absent]",
            ["on_conflict: error", "writers: exclusive", "--probe", "on_conflict: replace", "conditions: none"]
        ),
        ("on_conflict: replace, grades: [atomic_replace]", ["atomic: required", "atomic: best_effort"]),
        (
            "on_conflict: replace, conditions: required, grades: [if_match]",
            ["conditions: required", "if_match", "writers: exclusive", "conditions: auto"]
        ),
    ])
    func settingsThatTheStoreCannotKeepNameTheWaysOut(settings: String, words: [String]) throws {
        try withHost("storages: { m: { backend: memory }, s: { backend: fault, \(settings) } }\n") { host in
            let connection = try RawConnection(host.socket)
            let storage = try connection.request("GET", "/v1/storages/s").json()
            #expect(storage["state"]?.stringValue == "failed")
            #expect(storage["problem"]?["code"]?.stringValue == "config_invalid", "\(storage)")
            let detail = storage["problem"]?["detail"]?.stringValue ?? ""
            for word in words { #expect(detail.contains(word), "\(word): \(detail)") }
            #expect(try connection.request("PUT", "/v1/storages/s/objects/k", body: [1]).status == 503)
            try connection.put("m", "k", "v")
        }
    }

    @Test func withoutConditionsTheyAreRefusedBeforeAnythingIsWritten() throws {
        let text = """
            storages:
              s: { backend: fault, grades: [create_if_absent, if_match, remove_if_match], conditions: none }
              t: { backend: memory, conditions: none, on_conflict: replace }

            """
        try withHost(text) { host in
            let connection = try RawConnection(host.socket)
            for storage in ["s", "t"] {
                let target = "/v1/storages/\(storage)/objects/k"
                let create = try connection.request("PUT", target, fields: [("If-None-Match", "*")], body: [1])
                #expect(create.status == 501, "\(create.text)")
                #expect(try create.code() == "unsupported")
                #expect(try connection.get(storage, "k") == nil)
                try connection.put(storage, "k", "v")
                let tag = try connection.request("HEAD", target).field("etag") ?? "\"?\""
                #expect(try connection.request("PUT", target, fields: [("If-Match", tag)], body: [1]).status == 501)
                #expect(try connection.request("DELETE", target, fields: [("If-Match", tag)]).status == 501)
                #expect(try connection.get(storage, "k") == "v")
                // Reading under a condition changes nothing and stays.
                #expect(try connection.request("GET", target, fields: [("If-None-Match", tag)]).status == 304)
                let found = try capabilities(storage, connection)
                #expect(found?["if_match"]?["reason"]?.stringValue == "switched off by conditions: none")
            }
            // `on_conflict: error` looks before it writes.
            #expect(try connection.request("PUT", "/v1/storages/s/objects/k", body: [1]).status == 409)
        }
    }

    @Test func aStoreThatShowsHalvesIsTakenAtBestEffort() throws {
        let text =
            "storages: { s: { backend: fault, grades: [atomic_replace], atomic: best_effort, on_conflict: replace } }\n"
        try withHost(text) { host in
            let connection = try RawConnection(host.socket)
            #expect(grade(try capabilities("s", connection), "atomic_replace") == "none")
            try connection.put("s", "k", "one")
            try connection.put("s", "k", "two")
            #expect(try connection.get("s", "k") == "two")
        }
    }

    @Test func aProbeRaisesGradesAndAReloadKeepsThem() throws {
        try withTemporaryDirectory { folder in
            // It keeps conditions, and does not vouch for them.
            let declared = ["STAT", "READ", "WRITE", "ATOMIC_REPLACE", "REMOVE", "LIST", "LIST_SORTED", "LIST_AFTER"]
            let bits = declared.map { "COFFER_CAP_\($0)" }.joined(separator: "|")
            let unproven = ["CREATE_IF_ABSENT", "IF_MATCH", "REMOVE_IF_MATCH"].map { "COFFER_CAP_\($0)" }
            let flags = ["-DNATIVE=(\(bits))", "-DUNPROVEN=(\(unproven.joined(separator: "|")))"]
            try compilePlugin("tiny.c", to: "\(folder)/tiny.so", flags)
            let text =
                HostProcess.plugins + "  tiny: \(folder)/tiny.so\n"
                + "storages: { m: { backend: memory, on_conflict: replace }, s: { backend: tiny, mode: soft } }\n"
            try withHost(text) { host in
                let connection = try RawConnection(host.socket)
                #expect(try connection.request("GET", "/v1/storages/s").json()["state"]?.stringValue == "failed")
                let probed = try connection.request("GET", "/v1/storages/s?probe=true")
                #expect(probed.status == 200, "\(probed.text)")
                func check(_ key: String) throws {
                    let storage = try connection.request("GET", "/v1/storages/s").json()
                    #expect(storage["state"]?.stringValue == "open", "\(storage)")
                    for name in ["create_if_absent", "if_match", "remove_if_match"] {
                        #expect(grade(storage["capabilities"], name) == "native", "\(name)")
                    }
                    let target = "/v1/storages/s/objects/\(key)"
                    let match = try connection.request("PUT", target, fields: [("If-Match", "\"x\"")], body: [1])
                    #expect(match.status == 412)
                    try connection.put("s", key, "v")
                    #expect(try connection.request("PUT", target, body: [1]).status == 409)
                }
                try check("one")
                #expect(try connection.keys("s") == ["one"])
                // The same storage in the next generation needs no second probe.
                let reload = try connection.request("POST", "/v1/reload")
                #expect(reload.status == 200, "\(reload.text)")
                try check("two")
                // Other settings of the storage alone change nothing of what its store can.
                try host.write(configuration: text.replacing("mode: soft", with: "mode: soft, writers: exclusive"))
                #expect(try connection.request("POST", "/v1/reload").status == 200)
                try check("three")
                // Other options of the store are another store.
                try host.write(configuration: text.replacing("mode: soft", with: "mode: hard"))
                let other = try connection.request("POST", "/v1/reload")
                #expect(other.status == 422, "\(other.text)")
            }
        }
    }

    @Test func whatNobodyVouchesForIsNoneUntilAProbeTriesIt() throws {
        let conditions = "[create_if_absent, if_match, remove_if_match, copy_condition]"
        let text = """
            storages:
              kept: { backend: fault, unproven: \(conditions), on_conflict: replace }
              lost: { backend: fault, unproven: \(conditions), ignores: [if_match, copy_condition], on_conflict: replace }
              none: { backend: fault, unproven: \(conditions), on_conflict: replace, conditions: none }

            """
        try withHost(text) { host in
            let connection = try RawConnection(host.socket)
            func grades(_ storage: String) throws -> [String?] {
                let found = try capabilities(storage, connection)
                return ["create_if_absent", "if_match", "remove_if_match", "copy_condition"].map { grade(found, $0) }
            }
            func create(_ storage: String, _ key: String) throws -> Int {
                let target = "/v1/storages/\(storage)/objects/\(key)"
                return try connection.request("PUT", target, fields: [("If-None-Match", "*")], body: [1]).status
            }
            func replace(_ storage: String, _ key: String) throws -> Int {
                let target = "/v1/storages/\(storage)/objects/\(key)"
                return try connection.request("PUT", target, fields: [("If-Match", "\"stale\"")], body: [1]).status
            }
            let before = try capabilities("kept", connection)
            #expect(before?["if_match"]?["reason"]?.stringValue?.contains("a probe can") == true, "\(before ?? .null)")
            for storage in ["kept", "lost", "none"] {
                #expect(try grades(storage) == ["none", "none", "none", "none"])
                #expect(try create(storage, "k") == 501 && replace(storage, "k") == 501)
                #expect(try connection.get(storage, "k") == nil)
                #expect(try connection.request("GET", "/v1/storages/\(storage)?probe=true").status == 200)
                #expect(try connection.keys(storage).isEmpty, "a probe leaves nothing behind")
            }
            #expect(try grades("kept") == ["native", "native", "native", "native"])
            #expect(try create("kept", "k") == 201 && create("kept", "k") == 412 && replace("kept", "k") == 412)
            #expect(try grades("lost") == ["native", "none", "native", "none"])
            #expect(try create("lost", "k") == 201 && create("lost", "k") == 412 && replace("lost", "k") == 501)
            #expect(try grades("none") == ["none", "none", "none", "none"])
            #expect(try create("none", "k") == 501)
        }
    }

    @Test func aProbeStrikesWhatAStoreOnlyClaims() throws {
        let text = "storages: { s: { backend: fault, ignores: [if_match], on_conflict: replace } }\n"
        try withHost(text) { host in
            let connection = try RawConnection(host.socket)
            let target = "/v1/storages/s/objects/k"
            try connection.put("s", "k", "v")
            #expect(grade(try capabilities("s", connection), "if_match") == "native")
            #expect(try connection.request("GET", "/v1/storages/s?probe=true").status == 200)
            #expect(grade(try capabilities("s", connection), "if_match") == "none")
            #expect(try connection.request("PUT", target, fields: [("If-Match", "\"x\"")], body: [1]).status == 501)
            #expect(try connection.get("s", "k") == "v")
        }
    }

    @Test func aListingOfAStoreWithoutOrderIsInOrderPageByPage() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let keys = (0..<120).map { "k/\($0 % 7)/\($0)" } + ["k-", "k.", "k", "a", "z/é", "z/~"]
            for key in keys {
                let encoded = key.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                try connection.put("bare", encoded, "x")
            }
            let sorted = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try connection.keys("bare") == sorted)
            for limit in [1, 7, 50] {
                var seen: [String] = []
                var cursor: String? = ""
                while let at = cursor {
                    let page = try connection.request(
                        "GET",
                        "/v1/storages/bare/objects?limit=\(limit)" + (at.isEmpty ? "" : "&cursor=\(at)")
                    ).json()
                    seen += (page["objects"]?.arrayValue ?? []).compactMap { $0["key"]?.stringValue }
                    cursor = page["cursor"]?.stringValue
                    // What is written behind the page is seen, what is written before it is not.
                    if seen.count == 7 { try connection.put("bare", "a", "again") }
                }
                #expect(seen == sorted, "\(limit)")
            }
            let grouped = try connection.request("GET", "/v1/storages/bare/objects?delimiter=/&prefix=k").json()
            #expect(grouped["prefixes"]?.arrayValue?.compactMap(\.stringValue) == ["k/"])
            #expect(try connection.keys("bare", "?delimiter=/&prefix=k") == ["k", "k-", "k."])
            #expect(
                try connection.keys("bare", "?start_after=k/6")
                    == sorted.filter { $0.utf8.lexicographicallyPrecedes("k/6".utf8) == false && $0 != "k/6" }
            )
        }
    }

    @Test func countersUnderTheHostsLockEndExact() throws {
        try withHost(sampleStorages) { host in
            let socket = host.socket
            try RawConnection(socket).put("bare", "n", "0")
            let lost = try onThreads(4) { _ -> Int in
                let connection = try RawConnection(socket)
                var lost = 0
                for _ in 0..<25 {
                    while true {
                        let old = try connection.request("GET", "/v1/storages/bare/objects/n")
                        let next = (Int(old.text) ?? -1) + 1
                        let answer = try connection.request(
                            "PUT",
                            "/v1/storages/bare/objects/n",
                            fields: [("If-Match", old.field("etag") ?? "")],
                            body: Array(String(next).utf8)
                        )
                        if answer.status == 200 { break }
                        #expect(answer.status == 412, "\(answer.text)")
                        lost += 1
                    }
                }
                return lost
            }
            #expect(try RawConnection(socket).get("bare", "n") == "100", "\(lost)")
        }
    }
}

extension String {
    /// Without spaces at both ends.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
