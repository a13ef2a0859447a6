// Secrets, what plugins say, and what they count.
import CofferJSON
import CofferTestSupport
import Testing

/// A plugin with a secret option whose errors, log lines and answers speak of it.
@Suite struct SecretTests {
    private let first = "s3cr3t-horse-battery"
    private let second = "r0tated-staple-correct-longer"

    /// Runs `body` with a host whose storage `t` takes its password from a file.
    private func withSecretHost(_ more: String = "", _ body: (HostProcess, RawConnection) throws -> Void) throws {
        try withTemporaryDirectory { folder in
            try compilePlugin("tiny.c", to: "\(folder)/tiny.so")
            try write(Array((first + "\n").utf8), to: "\(folder)/password")
            let configuration =
                HostProcess.plugins + "  tiny: \(folder)/tiny.so\n"
                + "storages:\n  t: { backend: tiny, password: \"${file:\(folder)/password}\"\(more), on_conflict: replace }\n"
            try withHost(configuration, environment: ["SECRET_FILE": "\(folder)/password"]) { host in
                try body(host, try RawConnection(host.socket))
            }
        }
    }

    /// Everything that an operator or a caller can get to see.
    private func everything(_ host: HostProcess, _ connection: RawConnection) throws -> String {
        var text = host.log
        for target in [
            "/v1/health", "/v1/plugins", "/v1/profiles", "/v1/storages", "/v1/storages/t", "/v1/storages/t/health",
            "/v1/storages/t/stat/k", "/v1/storages/t/objects", "/metrics",
        ] {
            text += try connection.request("GET", target).text
        }
        for words in [["config", "show"], ["config", "show", "--json"], ["config", "check", "--all"]] {
            let program = "\(HostProcess.buildFolder)/cofferd"
            let result = try run([program] + words + ["--config", "\(host.folder)/coffer.yaml"], in: host.folder)
            #expect(result.code == 0, "\(result.output)")
            text += result.output
        }
        return text
    }

    @Test(arguments: ["", ", misbehave: secret", ", misbehave: refuse"])
    func aSecretIsInNothingThatAnybodySees(more: String) throws {
        try withSecretHost(more) { host, connection in
            let seen = try everything(host, connection)
            #expect(!seen.contains(first), "\(seen)")
            #expect(seen.contains("********"))
            if more.contains("secret") { #expect(seen.contains("login with")) }
            if more.contains("refuse") { #expect(seen.contains("is not liked")) }
        }
    }

    @Test func aSecretIsMaskedWhereAWrongOneIsComplainedOf() throws {
        try withTemporaryDirectory { folder in
            let text =
                "storages: { m: { backend: memory, size: \"${env:SIZE}\" }, n: { backend: memory, sise: \"${env:SIZE}\" } }\n"
            let host = try HostProcess(in: folder, configuration: text, environment: ["SIZE": first])
            let refused = #expect(throws: HostProcess.Failure.self) { try host.start() }
            #expect(refused?.description.contains("size") == true)
            #expect(refused?.description.contains(first) == false, "\(refused?.description ?? "")")
        }
    }

    @Test func aRotatedSecretIsUsedWithoutAReload() throws {
        try withSecretHost(", misbehave: length") { host, connection in
            let path = try #require(host.environment["SECRET_FILE"])
            // The plugin asks for its password at each check of its health, and tells how long it is.
            func length() throws -> String? {
                let answer = try connection.request("GET", "/v1/storages/t/health")
                #expect(answer.status == 200, "\(answer.text)")
                return try answer.json()["details"]?["length"]?.stringValue
            }
            try connection.put("t", "k", "v")
            #expect(try length() == "\(first.utf8.count)")
            try write(Array((second + "\n").utf8), to: path)
            #expect(try length() == "\(second.utf8.count)")
            let seen = try everything(host, connection)
            #expect(!seen.contains(first) && !seen.contains(second), "\(seen)")
            // The instance is the same: what it holds is still there.
            #expect(try connection.get("t", "k") == "v")
            #expect(try connection.request("GET", "/v1/health").json()["generation"]?.integerValue == 1)
        }
    }

    @Test func whatPluginsSayAndCountIsSeen() throws {
        try withSecretHost { host, connection in
            #expect(host.log.contains("t: opened"), "\(host.log)")
            for _ in 0..<3 { #expect(try connection.request("GET", "/v1/storages/t/health").status == 200) }
            #expect(host.log.contains("warning: t: ********"), "\(host.log)")
            let metrics = try connection.request("GET", "/metrics").text
            #expect(metrics.contains("# TYPE coffer_plugin_checks counter\n"), "\(metrics)")
            #expect(metrics.contains("coffer_plugin_checks{storage=\"t\",kind=\"test\"} 3.0\n"), "\(metrics)")
        }
    }

    @Test func metricsAreWellFormedAndCount() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("files", "k", "v")
            for _ in 0..<4 { _ = try connection.get("files", "k") }
            _ = try connection.get("files", "none")
            _ = try connection.request("GET", "/v1/storages/made-up/objects/k")
            let answer = try connection.request("GET", "/metrics")
            #expect(answer.field("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
            var types: Set<Substring> = []
            for line in answer.text.split(separator: "\n") {
                let words = line.split(separator: " ")
                if line.hasPrefix("# TYPE ") {
                    #expect(types.insert(words[2]).inserted, "\(line)")
                } else if !line.hasPrefix("#") {
                    #expect(words.count == 2 && Double(words[1]) != nil, "\(line)")
                }
            }
            #expect(
                answer.text.contains("coffer_requests_total{storage=\"files\",operation=\"get\",status=\"2xx\"} 4\n")
            )
            #expect(
                answer.text.contains("coffer_requests_total{storage=\"files\",operation=\"get\",status=\"4xx\"} 1\n")
            )
            #expect(!answer.text.contains("made-up"))
        }
    }
}
