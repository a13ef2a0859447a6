// What a service manager and its operators do to the process: sockets given, notifications, signals, two at once.
import CofferJSON
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct ServiceManagerTests {
    private let storages = "storages: { s: { backend: memory, on_conflict: replace } }\n"

    @Test func itTellsWhenItIsReadyReloadingAndStopping() throws {
        try withTemporaryDirectory { folder in
            let host = try HostProcess(in: folder, configuration: storages)
            let notices = try Notices(path: "\(folder)/notify.sock")
            try host.launch()
            #expect(try notices.next() == "READY=1")
            #expect(try RawConnection(host.socket).request("GET", "/v1/health").status == 200)
            host.signal(SIGHUP)
            let reloading = try notices.next()
            #expect(reloading.hasPrefix("RELOADING=1"), "\(reloading)")
            // Type=notify-reload of systemd takes a reload for one only with its time.
            #expect(reloading.contains("\nMONOTONIC_USEC="), "\(reloading)")
            #expect(try notices.next() == "READY=1")
            host.signal(SIGTERM)
            #expect(try notices.next() == "STOPPING=1")
            #expect(host.wait() == 0)
        }
    }

    @Test func aHangUpTakesAGoodTextAndKeepsTheOldInsteadOfABadOne() throws {
        try withHost(storages) { host in
            let connection = try RawConnection(host.socket)
            func generation() throws -> Int64? {
                try connection.request("GET", "/v1/health").json()["generation"]?.integerValue
            }
            try host.write(configuration: "storages: { s: { backend: memory }, more: { backend: memory } }\n")
            host.signal(SIGHUP)
            #expect(try eventually { try generation() == 2 })
            try connection.put("more", "k", "v")
            try host.write(configuration: "storages: { s: { backend: } }\n")
            host.signal(SIGHUP)
            #expect(try eventually { host.log.contains("the configuration was not taken over") })
            #expect(host.log.contains("coffer.yaml:"), "\(host.log)")
            #expect(try generation() == 2)
            #expect(try connection.get("more", "k") == "v")
        }
    }

    @Test func aTerminatedHostFinishesWhatIsInFlight() throws {
        try withTemporaryDirectory { folder in
            let host = try HostProcess(in: folder, configuration: "storages: { s: { backend: local, root: ./d } }\n")
            try host.start()
            let connection = try RawConnection(host.socket)
            let idle = try RawConnection(host.socket)
            #expect(try idle.request("GET", "/v1/health").status == 200)
            connection.send("PUT /v1/storages/s/objects/k HTTP/1.1\r\nHost: c\r\nContent-Length: 6\r\n\r\nabc")
            // The host has the head, and waits for the rest of the body.
            #expect(try eventually { try idle.request("GET", "/metrics").text.contains("coffer_transfers_parked 1\n") })
            host.signal(SIGTERM)
            #expect(try eventually { host.log.contains("stopping") })
            #expect(try idle.isClosedByPeer())
            connection.send("def")
            let answer = try connection.answer()
            #expect(answer.status == 201, "\(answer.text)")
            #expect(try connection.isClosedByPeer())
            #expect(host.wait() == 0)
            var status = stat()
            #expect(lstat(host.socket, &status) != 0)
            try host.start()
            #expect(try RawConnection(host.socket).get("s", "k") == "abcdef")
            host.stop()
        }
    }

    @Test func whatDoesNotEndIsCutOff() throws {
        let text = "limits: { drain_timeout: 200ms }\nstorages: { s: { backend: memory } }\n"
        try withHost(text) { host in
            let connection = try RawConnection(host.socket)
            connection.send("PUT /v1/storages/s/objects/k HTTP/1.1\r\nHost: c\r\nContent-Length: 6\r\n\r\nabc")
            let idle = try RawConnection(host.socket)
            #expect(try idle.request("GET", "/v1/health").status == 200)
            #expect(host.stop() == 0)
            #expect(host.log.contains("did not finish in 200 ms"), "\(host.log)")
        }
    }

    @Test func aSecondHostIsRefusedAndTheFirstLivesOn() throws {
        try withHost(storages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("s", "k", "v")
            let words = [
                "\(HostProcess.buildFolder)/cofferd", "--config", "\(host.folder)/coffer.yaml", "--socket", host.socket,
            ]
            let second = try run(words, environment: ["STATE_DIRECTORY": "\(host.folder)/state"], in: host.folder)
            #expect(second.code == 1, "\(second.output)")
            #expect(second.output.contains("listen on \(host.socket)"), "\(second.output)")
            #expect(try RawConnection(host.socket).get("s", "k") == "v")
        }
    }

    @Test func whatAKilledHostLeftIsTakenOver() throws {
        try withTemporaryDirectory { folder in
            let host = try HostProcess(in: folder, configuration: storages)
            try host.start()
            host.kill()
            #expect(access(host.socket, F_OK) == 0)
            try host.start()
            try RawConnection(host.socket).put("s", "k", "v")
            host.stop()
            // Something else at that place is nobody's to remove.
            try write(Array("precious".utf8), to: host.socket)
            #expect(throws: HostProcess.Failure.self) { try host.start() }
            #expect(readWholeFile(host.socket) == "precious")
        }
    }

    @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0, "the sockets are handed over by python3"))
    func itServesOnSocketsThatItIsGiven() throws {
        try withTemporaryDirectory { folder in
            let host = try HostProcess(in: folder, configuration: storages)
            let script = """
                import os, socket, sys
                a, b = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
                for n, s in enumerate((a, b)):
                    s.bind(sys.argv[1] + "/given%d.sock" % n); s.listen()
                os.dup2(os.dup(a.fileno()), 100); os.dup2(os.dup(b.fileno()), 101)
                os.dup2(100, 3); os.dup2(101, 4)
                os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="x:y")
                os.execv(sys.argv[2], sys.argv[2:])
                """
            try write(Array(script.utf8), to: "\(folder)/give.py")
            try host.start(under: ["/usr/bin/python3", "\(folder)/give.py", folder])
            defer { host.stop() }
            let first = try RawConnection("\(folder)/given0.sock")
            try first.put("s", "k", "v")
            #expect(try RawConnection("\(folder)/given1.sock").get("s", "k") == "v")
            #expect(access(host.socket, F_OK) != 0)
            host.stop()
            // The sockets are the service manager's to remove.
            #expect(access("\(folder)/given0.sock", F_OK) == 0)
        }
    }

    @Test func aChangedFileIsTakenInByItself() throws {
        let text = "watch: true\ninclude: more.yaml\n" + storages
        try withTemporaryDirectory { folder in
            try write(Array("storages: { a: { backend: memory } }\n".utf8), to: "\(folder)/more.yaml")
            let host = try HostProcess(in: folder, configuration: text)
            try host.start()
            defer { host.stop() }
            let connection = try RawConnection(host.socket)
            func has(_ storage: String) throws -> Bool {
                try connection.request("GET", "/v1/storages/\(storage)").status == 200
            }
            #expect(try has("a"))
            // A file that is included, written in place.
            try write(Array("storages: { b: { backend: memory } }\n".utf8), to: "\(folder)/more.yaml")
            #expect(try eventually { try has("b") })
            #expect(try !has("a"))
            // The configuration itself, replaced as editors do it.
            try host.write(configuration: text.replacing("{ s:", with: "{ c: { backend: memory }, s:"))
            #expect(try eventually { try has("c") })
            // One that cannot be understood changes nothing.
            try host.write(configuration: text + "nonsense: 1\n")
            #expect(try eventually { host.log.contains("nonsense") })
            #expect(try has("c"))
            try host.write(configuration: text)
            #expect(try eventually { try !has("c") })
        }
    }

    @Test func watchingBeginsAndEndsWithAReload() throws {
        try withHost(storages) { host in
            let connection = try RawConnection(host.socket)
            func has(_ storage: String) throws -> Bool {
                try connection.request("GET", "/v1/storages/\(storage)").status == 200
            }
            try host.write(configuration: "watch: true\n" + storages)
            #expect(try connection.request("POST", "/v1/reload").status == 200)
            try host.write(
                configuration: "watch: true\n" + storages.replacing("{ s:", with: "{ d: { backend: memory }, s:")
            )
            #expect(try eventually { try has("d") })
        }
    }
}

/// What a service says to its manager, one datagram after the other.
private final class Notices {
    private let socket: Int32

    init(path: String) throws {
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SmallFileFailure(path: path, errorNumber: errno) }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    /// The next notice; an error after half a minute without one.
    func next() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { throw SmallFileFailure(path: "notify", errorNumber: errno) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
