import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite("A transfer that somebody ends, or watches")
struct InterruptionTests {
    /// A download stands still in its third step, the second upload in its first.
    private static let configuration = """
        storages:
          f:
            backend: fault
            on_conflict: replace
            timeout: 600s
            plan: ["read stall=600000 skip=2 key=slow-", "write_append stall=600000 skip=1 key=slow/"]
          s: { backend: fault, on_conflict: replace, plan: ["write_append stall=15", "read stall=60"] }
          m: { backend: memory, on_conflict: replace }

        """

    /// Starts a shell in the host's folder that runs `script` and becomes `coffer`.
    private func start(_ script: String, _ host: HostProcess) throws -> pid_t {
        try spawn(
            ["/bin/sh", "-c", "cd \(host.folder) && \(script)"],
            environment: environment(host),
            output: "\(host.folder)/said"
        )
    }

    private func environment(_ host: HostProcess) -> [String: String] {
        ["COFFER_SOCKET": host.socket, "PATH": HostProcess.buildFolder + ":/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    }

    private func exitCode(_ process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    }

    /// The names in the host's folder that begin with a transfer's own.
    private func leftovers(_ host: HostProcess) throws -> String {
        try run(["/bin/sh", "-c", "cd \(host.folder) && ls -A | grep -e '^[.]coffer' -e '^back'"], in: host.folder)
            .output
    }

    private func makeBig(_ host: HostProcess) throws {
        try write([UInt8](repeating: 7, count: 6 << 20), to: "\(host.folder)/big")
    }

    /// Asks again and again until `condition` holds: what another process does tells nobody when it is done.
    private func eventually(_ condition: () throws -> Bool) throws -> Bool {
        for _ in 0..<1000 {
            if try condition() { return true }
            poll(nil, 0, 20)
        }
        return false
    }

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func aDownloadThatIsEndedLeavesNothing(signal: Int32, code: Int32) throws {
        try withHost(Self.configuration) { host in
            try makeBig(host)
            let put = try run(
                ["/bin/sh", "-c", "cd \(host.folder); coffer put big f:slow-to-read"],
                environment: environment(host),
                in: host.folder
            )
            #expect(put.code == 0, "\(put.output)")
            let process = try start("exec coffer get f:slow-to-read back", host)
            #expect(try eventually { try !leftovers(host).isEmpty }, "the file has another name while it comes")
            #expect(try !leftovers(host).contains("back"))
            kill(process, signal)
            #expect(exitCode(process) == code)
            #expect(try leftovers(host).isEmpty)
            #expect(readWholeFile("\(host.folder)/said")?.isEmpty == true)
        }
    }

    @Test(arguments: [
        "exec coffer put - f:slow/k <big", "mkfifo pipe; cat big >pipe & exec coffer put - f:slow/k <pipe",
    ])
    func anUploadThatIsEndedLeavesNothing(script: String) throws {
        try withHost(Self.configuration) { host in
            let connection = try RawConnection(host.socket)
            func connections(_ count: Int) throws -> Bool {
                try connection.request("GET", "/metrics").text.contains("\ncoffer_connections \(count)\n")
            }
            #expect(try connection.request("PUT", "/v1/storages/f/objects/slow/k", body: [1]).status == 201)
            try makeBig(host)
            let process = try start(script, host)
            #expect(try eventually { try connections(2) })
            kill(process, SIGINT)
            #expect(exitCode(process) == 130)
            #expect(try eventually { try connections(1) }, "the host lets go of the write")
            #expect(try connection.request("GET", "/v1/storages/f/objects/slow/k").body == [1])
            let keys = try connection.request("GET", "/v1/storages/f/objects").text
            #expect(keys.split(separator: "\"key\"").count == 2, "\(keys)")
        }
    }

    /// What a person at a terminal sees of `command`.
    private func seen(_ command: String, _ host: HostProcess) throws -> String {
        let words = ["script", "-qefc", "cd \(host.folder) && \(command)", "/dev/null"]
        let result = try run(words, environment: environment(host), in: host.folder)
        #expect(result.code == 0, "\(result.output)")
        return result.output
    }

    @Test func aLongTransferShowsHowFarItIsAndCleansUp() throws {
        try withHost(Self.configuration) { host in
            try makeBig(host)
            let put = try seen("cat big | coffer put - s:k", host)
            #expect(put.contains("\r\u{1B}[K-  ") && put.contains("MiB/s"), "\(put.debugDescription)")
            #expect(put.hasSuffix("\r\u{1B}[K- -> s:k (6.0 MiB)\r\n"), "\(put.debugDescription)")
            let get = try seen("coffer get s:k back", host)
            #expect(get.contains("\r\u{1B}[Ks:k  [##") && get.contains("% ") && get.contains(" of 6.0 MiB"), "\(get)")
            #expect(get.contains("  ETA 0:0"), "\(get.debugDescription)")
            #expect(get.hasSuffix("\r\u{1B}[Ks:k -> back (6.0 MiB)\r\n"), "\(get.debugDescription)")
        }
    }

    @Test func aShortTransferShowsNothing() throws {
        try withHost(Self.configuration) { host in
            let seen = try seen("echo x | coffer put - m:k; coffer get m:k back", host)
            #expect(seen == "- -> m:k (2 B)\r\nm:k -> back (2 B)\r\n", "\(seen.debugDescription)")
        }
    }
}
