// A TCP server that does exactly what a test says, well or badly.

import CofferSystem
import Glibc

/// A TCP server on loopback that does exactly what a test says, well or badly.
final class ScriptedServer: @unchecked Sendable {  // State is under the lock, the rest never changes.
    /// What is done with a request, by its number from 0 over all connections.
    typealias Script = @Sendable (_ number: Int, _ request: Request, _ peer: Peer) -> Void

    /// A request as it came.
    struct Request: Sendable {
        var line = ""
        var fields: [(name: String, value: String)] = []
        var connection = 0
        func field(_ name: String) -> String? { fields.first { $0.name.lowercased() == name.lowercased() }?.value }
    }

    let port: UInt16
    private let listener: Int32
    private let script: Script
    private struct State {
        var requests: [Request] = []
        var peers: [Peer] = []
        var threads: [Thread] = []
    }
    private let state = Locked(State())

    /// Every request that came.
    var requests: [Request] { state.withLock { $0.requests } }
    /// How many connections came.
    var connections: Int { state.withLock { $0.peers.count } }
    /// How many connections the client has not closed.
    var openConnections: Int { state.withLock { $0.peers.filter { !$0.isClosed }.count } }

    private init(_ script: @escaping Script) {
        self.script = script
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        precondition(number >= 0, "no socket")
        listener = number
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(bind(number, address, length) == 0 && listen(number, 64) == 0, "no port")
                getsockname(number, address, &length)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
    }

    /// Runs `body` with a server that follows `script`; all its threads are gone afterwards.
    static func run<R>(_ script: @escaping Script, _ body: (ScriptedServer) throws -> R) throws -> R {
        let server = ScriptedServer(script)
        let acceptor = try Thread.start(named: "acceptor") { server.acceptAll() }
        defer {
            shutdown(server.listener, Int32(SHUT_RDWR))
            acceptor.join()
            close(server.listener)
            let (peers, threads) = server.state.withLock { ($0.peers, $0.threads) }
            for peer in peers { peer.interrupt() }
            for thread in threads { thread.join() }
        }
        return try body(server)
    }

    private func acceptAll() {
        while true {
            let number = accept(listener, nil, nil)
            guard number >= 0 else { return }
            let index = state.withLock { state in
                state.peers.append(Peer(number))
                return state.peers.count - 1
            }
            let peer = state.withLock { $0.peers[index] }
            guard let thread = try? Thread.start(named: "peer", { self.serve(peer, index) }) else { return }
            state.withLock { $0.threads.append(thread) }
        }
    }

    private func serve(_ peer: Peer, _ index: Int) {
        while var request = peer.readHead() {
            request.connection = index
            let recorded = request
            let number = state.withLock { state in
                state.requests.append(recorded)
                return state.requests.count - 1
            }
            script(number, request, peer)
        }
        peer.finish()
    }
}

/// One connection of a scripted server.
final class Peer: @unchecked Sendable {  // One thread reads and writes; the lock is for the flag that others ask for.
    private let descriptor: Int32
    private var held: [UInt8] = []
    private let closed = Locked(false)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    var isClosed: Bool { closed.withLock { $0 } }

    func interrupt() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Ends the connection in order.
    func finish() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        closed.withLock { $0 = true }
    }

    /// Ends the connection with a reset.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        // A reset goes out when the last descriptor closes; one to nowhere takes its place.
        let nowhere = open("/dev/null", O_RDWR | O_CLOEXEC)
        dup2(nowhere, descriptor)
        close(nowhere)
        closed.withLock { $0 = true }
    }

    /// Waits until the client has closed.
    func awaitEnd() {
        while fill() { held = [] }
        closed.withLock { $0 = true }
    }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// A whole answer.
    func answer(_ status: Int, _ fields: [String] = [], _ body: [UInt8] = []) {
        let lines = ["HTTP/1.1 \(status) Word", "Content-Length: \(body.count)"] + fields
        send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
    }

    /// Takes so many bytes of a body.
    func take(_ count: Int) -> [UInt8] {
        while held.count < count, fill() {}
        let taken = Array(held.prefix(count))
        held.removeFirst(taken.count)
        return taken
    }

    /// Takes the body that the head announces.
    @discardableResult
    func takeBody(of request: ScriptedServer.Request) -> [UInt8] {
        if let length = request.field("content-length").flatMap({ Int($0) }) { return take(length) }
        guard request.field("transfer-encoding") != nil else { return [] }
        var body: [UInt8] = []
        while let line = takeLine(), let size = Int(line, radix: 16) {
            body += take(size)
            _ = takeLine()
            if size == 0 { break }
        }
        return body
    }

    func readHead() -> ScriptedServer.Request? {
        guard let line = takeLine() else { return nil }
        var request = ScriptedServer.Request(line: line)
        while let line = takeLine(), !line.isEmpty {
            let pair = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            request.fields.append((pair[0], pair.count > 1 ? String(pair[1].drop { $0 == " " }) : ""))
        }
        return request
    }

    private func takeLine() -> String? {
        while true {
            if let end = held.firstIndex(of: 0x0A) {
                let line = held[..<end].filter { $0 != 0x0D }
                held.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            guard fill() else { return nil }
        }
    }

    private func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else {
            closed.withLock { $0 = true }
            return false
        }
        held += buffer[..<count]
        return true
    }
}
