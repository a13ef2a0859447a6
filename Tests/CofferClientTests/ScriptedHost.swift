import CofferSystem
import Glibc

/// A host that says exactly what a test tells it, whatever it is asked.
///
/// Unchecked because `thread` is set once, before anybody else knows the host.
final class ScriptedHost: @unchecked Sendable {
    /// What is done with one connection, one step after the other.
    enum Step {
        /// Reads a whole request: its head, and as many bytes as `Content-Length` says.
        case read
        /// Reads a request's head and leaves its body.
        case readHead
        case send(String)
        /// Sends with a descriptor attached to the first byte.
        case pass(String, Descriptor)
        case close
        /// Waits until the client closes.
        case waitForEnd
    }

    let path: String
    private let listener: UnixListener
    private let connections: [[Step]]
    private let heard = Locked<[String]>([])
    private var thread: Thread?

    /// Listens in `folder`; each connection plays its own list of steps, and no more are taken.
    init(in folder: String, _ connections: [Step]...) throws {
        path = folder + "/scripted.sock"
        listener = try UnixListener.listen(path: path)
        self.connections = connections
        thread = try Thread.start(named: "scripted") { [listener, connections, heard] in
            for steps in connections {
                guard !Socket.poll(listener.descriptor.number, .readable, milliseconds: 10_000).isEmpty,
                    let connection = try? Socket.accept(listener.descriptor.number)
                else { return }
                Socket.setNonBlocking(connection.number, false)
                Self.play(steps, connection, heard)
            }
        }
    }

    /// Waits until all steps are done, and says what was read: each request's bytes.
    func finish() -> [String] {
        thread?.join()
        listener.close()
        return heard.withLock { $0 }
    }

    private static func play(_ steps: [Step], _ connection: Descriptor, _ heard: Locked<[String]>) {
        for step in steps {
            switch step {
            case .read, .readHead:
                var wantsBody = true
                if case .readHead = step { wantsBody = false }
                let text = readRequest(connection, wantsBody: wantsBody)
                heard.withLock { $0.append(text) }
            case .send(let text): send(text, nil, connection)
            case .pass(let text, let descriptor): send(text, descriptor, connection)
            case .close: return
            case .waitForEnd: while !receive(connection).isEmpty {}
            }
        }
    }

    private static func readRequest(_ connection: Descriptor, wantsBody: Bool) -> String {
        var bytes: [UInt8] = []
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                guard wantsBody else { return text }
                let length = text.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
                    .flatMap { Int($0.split(separator: " ").last ?? "") }
                let isChunked = text.lowercased().contains("transfer-encoding: chunked")
                if isChunked ? text.hasSuffix("0\r\n\r\n") : bytes.count >= end + 4 + (length ?? 0) { return text }
            }
            let more = receive(connection)
            if more.isEmpty { return String(decoding: bytes, as: UTF8.self) }
            bytes += more
        }
    }

    private static func receive(_ connection: Descriptor) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(connection.number, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(0, count)))
    }

    private static func send(_ text: String, _ descriptor: Descriptor?, _ connection: Descriptor) {
        _ = Array(text.utf8).withUnsafeBytes { Socket.send(connection.number, $0, attaching: descriptor, waits: true) }
    }
}

extension String {
    /// Where `other` begins, in bytes; nil where it is not in here.
    func range(of other: String) -> Int? {
        let all = Array(utf8)
        let wanted = Array(other.utf8)
        guard all.count >= wanted.count else { return nil }
        return (0...(all.count - wanted.count)).first { all[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }
}
