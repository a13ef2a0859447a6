import CofferPluginSDK
import CofferSystem
import CofferTransport
import Glibc
import Testing

/// Whether the peer is to say nothing in the head, in the body, or before the connection.
private enum Stall: String, CaseIterable, Sendable {
    case head, partOfHead, body
}

private func stalling(_ stall: Stall) -> ScriptedServer.Script {
    { _, _, peer in
        switch stall {
        case .head: break
        case .partOfHead: peer.send("HTTP/1.1 200 OK\r\nContent-")
        case .body: peer.send("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 100\r\n\r\nfirst")
        }
        peer.awaitEnd()
    }
}

@Suite struct EndingTests {
    @Test(arguments: Stall.allCases)
    fileprivate func aStalledPeerTimesOut(stall: Stall) throws {
        var settings = HTTPSettings.impatient
        settings.answerTimeout = .milliseconds(200)
        settings.stallTimeout = .milliseconds(200)
        settings.retries = .none
        try withEndpoint(stalling(stall), settings: settings) { endpoint, server in
            let start = monotonic()
            let error = failure { _ = try endpoint.send(HTTPRequest("GET", "/"), call: patientCall()) }
            #expect(error?.code == .timeout && error?.isRetryable == true, "\(String(describing: error))")
            #expect(monotonic() - start > 190_000_000)
            #expect(eventually { server.openConnections == 0 })
        }
    }

    @Test func aPeerThatTakesNoConnectionTimesOut() throws {
        // A listener whose queue is full takes no more: packets to it are dropped.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var fillers: [Int32] = []
        defer { for filler in fillers { close(filler) } }
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = bind(listener, address, length)
                _ = listen(listener, 0)
                getsockname(listener, address, &length)
                for _ in 0..<4 {
                    let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
                    fillers.append(socket(AF_INET, flags, 0))
                    _ = connect(fillers[fillers.count - 1], address, length)
                }
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        var settings = HTTPSettings.impatient
        settings.connectTimeout = .milliseconds(300)
        settings.retries = .none
        let endpoint = HTTPEndpoint(HTTPOrigin(isSecure: false, host: "127.0.0.1", port: port), settings: settings)
        let error = failure { _ = try endpoint.send(HTTPRequest("POST", "/"), call: patientCall()) }
        #expect(error?.code == .timeout && error?.isMaybeApplied == false && error?.isRetryable == true)
    }

    @Test(arguments: Stall.allCases, [true, false])
    fileprivate func cancelAndDeadlineEndACallAndFreeItsConnection(stall: Stall, isCancel: Bool) throws {
        let settings = HTTPSettings.patient
        try withEndpoint(stalling(stall), settings: settings) { endpoint, server in
            var pipe: [Int32] = [-1, -1]
            #expect(Glibc.pipe(&pipe) == 0)
            defer { for end in pipe { close(end) } }
            let writer = pipe[1]
            let start = monotonic()
            let thread = try Thread.start(named: "canceller") {
                while server.requests.isEmpty { yieldBriefly() }
                if isCancel { _ = write(writer, "x", 1) }
            }
            let call =
                isCancel ? Call(cancellationDescriptor: pipe[0]) : Call(deadline: monotonic() + 300_000_000)
            let error = failure { _ = try endpoint.send(HTTPRequest("PUT", "/", body: [1]), call: call) }
            thread.join()
            #expect(error?.code == (isCancel ? .cancelled : .timeout))
            #expect(error?.isMaybeApplied == true)
            #expect(monotonic() - start < 3_000_000_000)
            #expect(eventually { server.openConnections == 0 })
        }
    }

    @Test func afterACancelTheNextCallWorks() throws {
        let script: ScriptedServer.Script = { number, _, peer in
            if number == 0 { peer.awaitEnd() } else { peer.answer(200) }
        }
        try withEndpoint(script) { endpoint, _ in
            let call = Call(deadline: monotonic() + 100_000_000)
            #expect(failure { _ = try endpoint.send(HTTPRequest("GET", "/"), call: call) }?.code == .timeout)
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.status == 200)
        }
    }

    @Test func aLongTransferThatMovesHasNoLimit() throws {
        var settings = HTTPSettings.impatient
        settings.stallTimeout = .milliseconds(400)
        let script: ScriptedServer.Script = { _, _, peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
            for _ in 0..<20 {
                usleep(50_000)
                peer.send("x")
            }
        }
        try withEndpoint(script, settings: settings) { endpoint, _ in
            #expect(endpoint.answer(HTTPRequest("GET", "/"))?.body.count == 20)
        }
    }

    @Test func descriptorsComeBack() throws {
        try withEndpoint({ _, _, peer in peer.answer(200) }) { _, server in
            let before = openDescriptors()
            for _ in 0..<20 {
                let origin = HTTPOrigin(isSecure: false, host: "127.0.0.1", port: server.port)
                let endpoint = HTTPEndpoint(origin, settings: .impatient)
                #expect(endpoint.answer(HTTPRequest("GET", "/"))?.status == 200)
                let response = try endpoint.open(HTTPRequest("GET", "/"), call: patientCall())
                endpoint.close()
                response.close()
                #expect(failure { _ = try endpoint.send(HTTPRequest("GET", "/"), call: patientCall()) } != nil)
            }
            // The server closes its ends when it sees ours closed.
            #expect(eventually { openDescriptors() <= before + 20 + 2 })
        }
    }

    @Test func manyThreadsShareAnEndpoint() throws {
        let script: ScriptedServer.Script = { number, request, peer in
            let body = peer.takeBody(of: request)
            if number % 50 == 17 { peer.reset() } else { peer.answer(200, [], body) }
        }
        var settings = HTTPSettings.patient
        settings.concurrency = 8
        settings.retries.budget = 1
        try withEndpoint(script, settings: settings) { endpoint, server in
            let wrong = Locked(0)
            let threads = try (0..<16).map { index in
                try Thread.start(named: "caller") {
                    for turn in 0..<30 {
                        let body = Array("\(index) \(turn)".utf8)
                        let answer = endpoint.answer(HTTPRequest("PUT", "/", body: body))
                        if answer?.body != body { wrong.withLock { $0 += 1 } }
                    }
                }
            }
            for thread in threads { thread.join() }
            #expect(wrong.withLock { $0 } == 0)
        }
    }
}

/// How many descriptors this process has open.
private func openDescriptors() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return -1 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
}
