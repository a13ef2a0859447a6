// The two ways to load a server: one request after the other, timed; and many connections at once, counted.
import CofferSystem
import Glibc

enum Load {
    /// The median time of one exchange in microseconds, one after the other on one kept connection.
    ///
    /// Answers to the same question have the same length, unless they tell of a change.
    static func latency(
        _ connection: PlainConnection,
        _ request: [UInt8],
        count: Int,
        isChange: Bool = false
    ) throws -> Double {
        let first = try connection.exchange(request)
        let total = isChange ? nil : first
        var times: [Double] = []
        times.reserveCapacity(count)
        for _ in 0..<count {
            let start = MonotonicTime.now
            try connection.exchange(request, total: total)
            times.append(Double(MonotonicTime.now.nanoseconds - start.nanoseconds) / 1000)
        }
        return times.sorted().median
    }

    /// Exchanges a second over many connections, each with one request under way, by one thread.
    ///
    /// `request` gives the next request of a connection.
    static func rate(
        _ path: String,
        connections count: Int,
        seconds: Double,
        _ request: (_ connection: Int) -> [UInt8]
    ) throws -> Double {
        let epoll = try Epoll()
        let sockets = try (0..<count).map { _ in try Socket.connect(path: path) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)
        defer { buffer.deallocate() }
        var held = [[UInt8]](repeating: [], count: count)
        func send(_ index: Int) throws {
            let sent = request(index).withUnsafeBytes { Socket.send(sockets[index].number, $0, waits: true) }
            guard case .moved = sent else { throw Trouble("the server went away") }
        }
        for (index, socket) in sockets.enumerated() {
            try epoll.add(socket.number, token: UInt64(index), .readable)
            try send(index)
        }
        let start = MonotonicTime.now
        let end = start.nanoseconds + Int64(seconds * 1e9)
        var done = 0
        var failure: (any Error)?
        while MonotonicTime.now.nanoseconds < end, failure == nil {
            _ = epoll.wait(limit: count, milliseconds: 1000) { event in
                let index = Int(event.token)
                let got = recv(sockets[index].number, buffer.baseAddress, buffer.count, 0)
                guard got > 0 else {
                    failure = Trouble("the server broke off")
                    return
                }
                let piece = UnsafeRawBufferPointer(rebasing: buffer[..<got])
                if held[index].isEmpty {
                    if piece[9] != UInt8(ascii: "2") {
                        failure = Trouble("the server answered \(String(decoding: piece, as: UTF8.self))")
                    }
                    if Answer.length(piece) != got {
                        held[index] += piece
                        return
                    }
                } else {
                    held[index] += piece
                    guard held[index].withUnsafeBytes({ Answer.length($0) == $0.count }) else { return }
                    held[index].removeAll(keepingCapacity: true)
                }
                done += 1
                do { try send(index) } catch let error { failure = error }
            }
        }
        if let failure { throw failure }
        return Double(done) / (Double(MonotonicTime.now.nanoseconds - start.nanoseconds) / 1e9)
    }
}
