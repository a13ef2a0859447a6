// The floor of every exchange: a server that sends back what it gets, in a process of its own.
import CofferSystem
import Glibc

/// The echoing process.
final class PingPong {
    let child: ChildProcess
    private let path: String

    init(_ bench: Bench) throws {
        path = "\(bench.scratch)/ping-pong.sock"
        child = try ChildProcess(["/proc/self/exe", "ping-pong", path])
        for _ in 0..<5000 where (try? Socket.connect(path: path)) == nil { usleep(1000) }
    }

    /// A connection to it.
    func connect() throws -> PingPongConnection { PingPongConnection(try Socket.connect(path: path)) }

    /// What the process does: one connection after the other, until it is killed.
    static func serve(_ path: String) throws {
        let listener = try UnixListener.listen(path: path)
        Socket.setNonBlocking(listener.descriptor.number, false)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            guard let socket = try Socket.accept(listener.descriptor.number, blocks: true) else { continue }
            while true {
                let count = recv(socket.number, &buffer, buffer.count, 0)
                guard count > 0, Glibc.send(socket.number, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
            }
        }
    }
}

/// A client's end of it.
final class PingPongConnection {
    private let socket: Descriptor
    private var buffer = [UInt8](repeating: 7, count: 64)

    init(_ socket: Descriptor) { self.socket = socket }

    /// The median of `count` exchanges of 64 bytes in microseconds.
    func latency(count: Int) throws -> Double {
        var times: [Double] = []
        times.reserveCapacity(count)
        for _ in 0..<count {
            let start = MonotonicTime.now
            guard Glibc.send(socket.number, buffer, 64, Int32(MSG_NOSIGNAL)) == 64,
                recv(socket.number, &buffer, 64, Int32(MSG_WAITALL)) == 64
            else { throw Trouble("the ping-pong broke off") }
            times.append(Double(MonotonicTime.now.nanoseconds - start.nanoseconds) / 1000)
        }
        return times.sorted().median
    }
}
