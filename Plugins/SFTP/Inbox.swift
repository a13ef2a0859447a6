// Cutting a stream of bytes into answers.

import SFTPWire

/// Gathers what comes from a server, until it is whole answers.
struct Inbox {
    /// No answer is longer: OpenSSH's own limit is 256 KiB.
    private static let longest = 1 << 20

    private var head: [UInt8] = []
    private var body: [UInt8] = []
    private var wanted = 0

    /// Takes `bytes` and hands over each answer that is whole now, without its length.
    mutating func take(_ bytes: UnsafeRawBufferPointer, _ receive: ([UInt8]) throws(WireError) -> Void)
        throws(WireError)
    {
        var at = 0
        while at < bytes.count {
            if wanted == 0 {
                head.append(bytes[at])
                at += 1
                guard head.count == 4 else { continue }
                wanted = Int(head[0]) << 24 | Int(head[1]) << 16 | Int(head[2]) << 8 | Int(head[3])
                head.removeAll(keepingCapacity: true)
                guard wanted >= 1, wanted <= Self.longest else { throw WireError.malformed }
                body = []
                body.reserveCapacity(wanted)
            } else {
                let count = min(wanted - body.count, bytes.count - at)
                body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count)]))
                at += count
            }
            if wanted > 0 && body.count == wanted {
                wanted = 0
                let whole = body
                body = []
                try receive(whole)
            }
        }
    }
}
