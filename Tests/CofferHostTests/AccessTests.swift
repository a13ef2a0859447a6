// Who may do what, judged by whom the kernel says is calling.
import CofferJSON
import CofferTestSupport
import Glibc
import Testing

/// An answer that another user got.
struct ForeignAnswer {
    /// The status; 0 where there was no connection.
    var status: Int
    var text: String

    func json() throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }
}

extension HostProcess {
    /// Sends a request as the user and the group `user`, with these further groups.
    func ask(
        as user: UInt32,
        groups: [UInt32] = [],
        _ method: String,
        _ target: String,
        body: String? = nil
    ) throws -> ForeignAnswer {
        // The others must get as far as the socket; its own mode decides then.
        chmod(folder, 0o711)
        var words = ["setpriv", "--reuid", "\(user)", "--regid", "\(user)"]
        words += groups.isEmpty ? ["--clear-groups"] : ["--groups", groups.map(String.init).joined(separator: ",")]
        words += ["curl", "-sS", "--path-as-is", "--unix-socket", socket, "-X", method, "-w", "\\n%{http_code}"]
        if let body { words += ["--data-binary", body] }
        let result = try run(words + ["http://coffer\(target)"], in: folder)
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        guard let last = lines.last, let status = Int(last) else {
            return ForeignAnswer(status: 0, text: result.output)
        }
        return ForeignAnswer(status: status, text: lines.dropLast().joined(separator: "\n"))
    }
}

@Suite(.enabled(if: geteuid() == 0, "only root can be somebody else"))
struct AccessTests {
    private let rules = """
        access:
          - { uid: 4001, allow: download }
          - { uid: 4002, allow: [upload, download], storages: [files], prefix: in/ }
          - { uid: 4003, allow: [delete] }
          - { gid: 4100, allow: [download], storages: [files] }
          - { uid: 4004, allow: manage }
        storages:
          files: { backend: memory, on_conflict: replace }
          other: { backend: memory, on_conflict: replace }

        """

    private func mode(_ path: String) -> UInt32 {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test func withoutRulesNobodyElseConnects() throws {
        try withHost("storages: { files: { backend: memory } }\n") { host in
            #expect(mode(host.socket) == 0o600)
            let answer = try host.ask(as: 4001, "GET", "/v1/health")
            #expect(answer.status == 0, "\(answer.text)")
        }
    }

    @Test func rulesOpenTheSocketAlsoWhenTheyComeByAReload() throws {
        try withHost("storages: { files: { backend: memory, on_conflict: replace }, other: { backend: memory } }\n") {
            host in
            #expect(mode(host.socket) == 0o600)
            try host.write(configuration: rules)
            let connection = try RawConnection(host.socket)
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            #expect(mode(host.socket) == 0o666)
            #expect(try host.ask(as: 4001, "GET", "/v1/storages/files").status == 200)
            try host.write(configuration: "storages: { files: { backend: memory } }\n")
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            #expect(mode(host.socket) == 0o600)
        }
    }

    @Test func aModeThatIsSetIsTheMode() throws {
        try withHost("socket: { mode: 0640 }\n" + rules) { host in #expect(mode(host.socket) == 0o640) }
    }

    @Test func everyPermissionAllowsItsOwnAndNothingElse() throws {
        try withHost(rules) { host in
            #expect(mode(host.socket) == 0o666)
            let owner = try RawConnection(host.socket)
            try owner.put("files", "k", "v")
            try owner.put("files", "in/k", "v")
            try owner.put("other", "k", "v")
            let object = "/v1/storages/files/objects/k"
            // Who may read.
            #expect(try host.ask(as: 4001, "GET", object).text == "v")
            #expect(try host.ask(as: 4001, "GET", "/v1/storages/files/stat/k").status == 200)
            #expect(try host.ask(as: 4001, "GET", "/v1/storages/files/objects").status == 200)
            #expect(try host.ask(as: 4001, "PUT", object, body: "x").status == 403)
            #expect(try host.ask(as: 4001, "DELETE", object).status == 403)
            #expect(try host.ask(as: 4001, "PATCH", "/v1/storages/files/stat/k", body: "{}").status == 403)
            // Who may delete may not read.
            #expect(try host.ask(as: 4003, "GET", object).status == 403)
            #expect(try host.ask(as: 4003, "DELETE", object).status == 204)
            #expect(try owner.get("files", "k") == nil)
            // Who manages touches no objects.
            #expect(try host.ask(as: 4004, "GET", "/metrics").status == 200)
            #expect(try host.ask(as: 4004, "POST", "/v1/reload").status == 200)
            #expect(try host.ask(as: 4004, "GET", "/v1/storages/other/objects/k").status == 403)
        }
    }

    @Test func aRuleForAPrefixEndsThere() throws {
        try withHost(rules) { host in
            let owner = try RawConnection(host.socket)
            try owner.put("files", "in/k", "v")
            try owner.put("files", "out", "v")
            func status(_ method: String, _ target: String, _ body: String? = nil) throws -> Int {
                try host.ask(as: 4002, method, "/v1/storages/" + target, body: body).status
            }
            #expect(try status("PUT", "files/objects/in/new", "x") == 201)
            #expect(try status("GET", "files/objects/in/k") == 200)
            #expect(try status("GET", "files/objects?prefix=in/") == 200)
            #expect(try status("GET", "files/objects") == 403)
            #expect(try status("GET", "files/objects?prefix=in") == 403)
            #expect(try status("PUT", "files/objects/inside", "x") == 403)
            #expect(try status("PUT", "files/objects/in/../out", "x") == 400)
            #expect(try status("GET", "files/objects/out") == 403)
            #expect(try status("GET", "files/object?key=out") == 403)
            #expect(try status("GET", "other/objects/in/k") == 403)
            #expect(try status("DELETE", "files/objects/in/k") == 403)
            // In and out of the prefix by copy and move, and under a made-up key.
            #expect(try status("POST", "files/copy", #"{"from":"in/k","to":"in/copy"}"#) == 201)
            #expect(try status("POST", "files/copy", #"{"from":"out","to":"in/stolen"}"#) == 403)
            #expect(try status("POST", "files/copy", #"{"from":"in/k","to":"out"}"#) == 403)
            #expect(try status("POST", "files/copy", #"{"from":"in/k","to":"in/k","to_storage":"other"}"#) == 403)
            #expect(try status("POST", "files/move", #"{"from":"in/k","to":"in/moved"}"#) == 403)
            #expect(try status("POST", "files/delete", #"{"keys":["in/k"]}"#) == 403)
            #expect(try status("POST", "files/objects?location=out", "x") == 403)
            #expect(try status("POST", "files/objects?location=in", "x") == 201)
            #expect(try owner.get("files", "out") == "v")
            #expect(try owner.keys("files", "?prefix=in/st") == [])
        }
    }

    @Test func aGroupCountsAlsoAsASupplementaryOne() throws {
        try withHost(rules) { host in
            try RawConnection(host.socket).put("files", "k", "v")
            #expect(try host.ask(as: 4999, "GET", "/v1/storages/files/objects/k").status == 403)
            #expect(try host.ask(as: 4999, groups: [7, 4100], "GET", "/v1/storages/files/objects/k").text == "v")
            #expect(try host.ask(as: 4100, "GET", "/v1/storages/files/objects/k").text == "v")
            #expect(try host.ask(as: 4100, "GET", "/v1/storages/other/objects/k").status == 403)
        }
    }

    @Test func aRefusalNamesTheCallerAndTheRule() throws {
        try withHost(rules) { host in
            let refused = try host.ask(as: 4999, "PUT", "/v1/storages/files/objects/k", body: "x")
            #expect(refused.status == 403)
            let problem = try refused.json()
            #expect(problem["code"]?.stringValue == "permission_denied")
            #expect(
                problem["detail"]?.stringValue
                    == "user 4999 may not upload in files; to allow it, add to access: "
                    + "{ uid: 4999, allow: [upload], storages: [files] }"
            )
            // Who may not see a storage does not learn whether there is one.
            let none = try host.ask(as: 4999, "GET", "/v1/storages/nothing")
            #expect(none.status == 403)
        }
    }

    @Test func listsShowWhatTheCallerMaySee() throws {
        try withHost(rules) { host in
            func names(_ user: UInt32, groups: [UInt32] = [], _ target: String) throws -> [String] {
                let list = try host.ask(as: user, groups: groups, "GET", target).json()
                return (list["storages"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
            }
            for target in ["/v1/storages", "/v1/health"] {
                let all = try names(4001, target)
                #expect(all == ["files", "other"])
                #expect(try names(4999, target) == [])
                #expect(try names(4999, groups: [4100], target) == ["files"])
            }
        }
    }

    @Test(arguments: [
        ("GET", "/metrics"), ("GET", "/v1/plugins"), ("GET", "/v1/profiles"), ("POST", "/v1/reload"),
        ("POST", "/v1/profiles/x/activate"), ("PUT", "/v1/storages/new"), ("DELETE", "/v1/storages/files"),
        ("GET", "/v1/storages/files?probe=true"),
    ])
    func managingIsForManagers(method: String, target: String) throws {
        try withHost(rules) { host in
            let answer = try host.ask(as: 4001, method, target, body: method == "PUT" ? "{}" : nil)
            #expect(answer.status == 403, "\(answer.text)")
            #expect(answer.text.contains("user 4001 may not manage"), "\(answer.text)")
        }
    }
}
