// Links through the socket: what the answer says, who may have one, and that nobody else ever sees it.
import CofferClient
import CofferJSON
import CofferModel
import CofferTestSupport
import Glibc
import Testing

/// Runs `body` with a host whose backend `tiny` signs links and has containers.
func withLinkingHost<R>(
    _ configuration: String,
    arguments: [String] = [],
    flags: [String] = [],
    _ body: (HostProcess, RawConnection) throws -> R
) throws -> R {
    try withTemporaryDirectory { folder in
        try compilePlugin("tiny.c", to: "\(folder)/tiny.so", ["-DLINKS"] + flags)
        let text = HostProcess.plugins + "  tiny: \(folder)/tiny.so\n" + configuration
        return try withHost(text.replacing("FOLDER", with: folder), arguments: arguments) { host in
            try body(host, try RawConnection(host.socket))
        }
    }
}

extension RawConnection {
    /// Asks for a link.
    func link(_ storage: String, _ body: String) throws -> Answer {
        try request("POST", "/v1/storages/\(storage)/links", body: Array(body.utf8))
    }
}

@Suite struct LinkTests {
    private let storages = """
        storages:
          files: { backend: tiny, on_conflict: replace, max_link: 2h }
          brief: { backend: tiny, on_conflict: replace, max_link_ttl: 10m, accept: IMAGES, max_size: 1KiB }
          fixed: { backend: tiny, read_only: true }
          sized: { backend: tiny, on_conflict: replace, misbehave: bind }
          plain: { backend: memory }

        """

    @Test func theAnswerSaysWhatToSendAndUntilWhen() throws {
        try withLinkingHost(storages) { _, connection throws in
            let answer = try connection.link("files", #"{"key":"a/b.txt","method":"PUT","expires_in":60,"size":5}"#)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.field("cache-control") == "no-store")
            let link = try answer.json()
            #expect(link["url"]?.stringValue?.hasPrefix("https://tiny.example/a/b.txt?method=PUT&expires=") == true)
            #expect(link["method"]?.stringValue == "PUT")
            #expect(link["required_headers"]?["Content-Type"]?.stringValue == "application/octet-stream")
            #expect(link["required_headers"]?["Content-Length"]?.stringValue == "5")
            let end = try #require(link["expires_at"]?.stringValue.flatMap { Timestamp($0) })
            #expect(link["url"]?.stringValue?.contains("expires=\(end.seconds)&") == true)
            #expect((50...60).contains(end.seconds - Int64(time(nil))))
        }
    }

    @Test(arguments: [
        (#"{"key":"k","expires_in":0}"#, 400, "7200"), (#"{"key":"k","expires_in":-5}"#, 400, "7200"),
        (#"{"key":"k","expires_in":7201}"#, 400, "the limit of the store"),
        (#"{"key":"k","method":"POST"}"#, 400, "POST"),
        (#"{"key":"k","expires":5}"#, 400, "expires_in"), (#"{"key":"k","expires_in":1.5}"#, 400, "expires_in"),
        (#"{"method":"GET"}"#, 400, "key is missing"), (#"{"key":"a/../b","method":"PUT"}"#, 400, ".."),
        ("not json", 400, "JSON"),
    ])
    func aLinkThatMayNotBeIsRefused(body: String, status: Int, words: String) throws {
        try withLinkingHost(storages) { _, connection throws in
            let answer = try connection.link("files", body)
            #expect(answer.status == status && answer.text.contains(words), "\(answer.text)")
        }
    }

    @Test func theRulesOfTheStorageHoldForALink() throws {
        try withLinkingHost(storages) { _, connection throws in
            func status(_ storage: String, _ body: String) throws -> Int { try connection.link(storage, body).status }
            #expect(try status("brief", #"{"key":"k.png","method":"PUT","expires_in":601,"size":5}"#) == 400)
            #expect(try status("brief", #"{"key":"k.png","method":"PUT","expires_in":600,"size":5}"#) == 200)
            #expect(try status("brief", #"{"key":"k.png","method":"PUT"}"#) == 400)
            #expect(try status("brief", #"{"key":"k.png","method":"PUT","size":1025}"#) == 413)
            #expect(try status("brief", #"{"key":"k.exe","method":"PUT","size":5}"#) == 415)
            #expect(try status("fixed", #"{"key":"k","method":"PUT"}"#) == 403)
            #expect(try status("fixed", #"{"key":"k","method":"DELETE"}"#) == 403)
            #expect(try status("fixed", #"{"key":"k"}"#) == 200)
            #expect(try status("plain", #"{"key":"k"}"#) == 501)
            #expect(try status("none", #"{"key":"k"}"#) == 404)
        }
    }

    @Test func aBindingThatTheStoreCannotExpressIsUnsupported() throws {
        try withLinkingHost(storages) { _, connection throws in
            let answer = try connection.link("sized", #"{"key":"k","method":"PUT","size":5}"#)
            #expect(answer.status == 501, "\(answer.text)")
            #expect(try answer.json()["detail"]?.stringValue == "no link of this store can be bound to a size")
            #expect(try connection.link("sized", #"{"key":"k","method":"PUT"}"#).status == 200)
        }
    }

    @Test func aLinkIsInNoLogAndNoMetric() throws {
        try withLinkingHost(storages) { host, connection throws in
            for method in ["GET", "HEAD", "PUT", "DELETE"] {
                #expect(try connection.link("files", "{\"key\":\"k\",\"method\":\"\(method)\"}").status == 200)
            }
            let seen = try host.log + connection.request("GET", "/metrics").text
            #expect(
                seen.contains("create_link") && !seen.contains("5ec2e7") && !seen.contains("tiny.example"),
                "\(seen)"
            )
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func aLinkNeedsThePermissionForWhatItDoes() throws {
        let rules = """
            access:
              - { uid: 4001, allow: download, prefix: in/ }
              - { uid: 4002, allow: upload }
              - { uid: 4003, allow: [delete] }

            """
        try withLinkingHost(rules + storages) { host, _ throws in
            func status(_ user: UInt32, _ method: String, _ key: String = "in/k") throws -> Int {
                try host.ask(
                    as: user,
                    "POST",
                    "/v1/storages/files/links",
                    body: "{\"key\":\"\(key)\",\"method\":\"\(method)\"}"
                ).status
            }
            let allowed: [UInt32: [String]] = [4001: ["GET", "HEAD"], 4002: ["PUT"], 4003: ["DELETE"], 4004: []]
            for (user, methods) in allowed {
                for method in ["GET", "HEAD", "PUT", "DELETE"] {
                    #expect(try status(user, method) == (methods.contains(method) ? 200 : 403), "\(user) \(method)")
                }
            }
            #expect(try status(4001, "GET", "out/k") == 403)
        }
    }

    @Test func theClientGetsLinks() async throws {
        try await withTemporaryDirectory { folder in
            try compilePlugin("tiny.c", to: "\(folder)/tiny.so", ["-DLINKS"])
            let host = try HostProcess(
                in: folder,
                configuration: "plugins: [\(folder)/tiny.so]\n" + storages.withoutPlain
            )
            try host.start()
            defer { host.stop() }
            let files = CofferClient(socket: host.socket).storage("files")
            let link = try await files.link("k", for: .put, expiresIn: .seconds(90), contentType: "text/plain")
            #expect(link.method == .put && link.requiredHeaders == [.init("Content-Type", "text/plain")])
            let saved = try await files.link("k", contentType: "text/html", filename: "x.html")
            #expect(saved.url.hasSuffix("&filename=x.html&type=text/html"))
            let refused = await #expect(throws: CofferError.self) { try await files.link("k", expiresIn: .zero) }
            #expect(refused?.code == .invalidArgument)
            try await files.makeContainer("new one")
            #expect(try await files.containers().map(\.name) == ["new one"])
            try await files.removeContainer("new one")
            #expect(try await files.probe().probe?.first?.verdict == "kept")
        }
    }
}

extension String {
    /// The sample without the storage of another plugin.
    fileprivate var withoutPlain: String { replacing("  plain: { backend: memory }\n", with: "") }
}
