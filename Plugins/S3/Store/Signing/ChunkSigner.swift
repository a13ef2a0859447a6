// Bodies that are signed while they stream: each chunk carries a signature that binds it to the one before.

import CofferCrypto

/// Frames a body as `aws-chunked` with a signature for each chunk.
package struct ChunkSigner {
    private let signer: Signer
    private let time: String
    private var previous: String

    /// Goes on from the signature of the request's head.
    package init(_ signer: Signer, at time: String, seed: String) {
        self.signer = signer
        self.time = time
        previous = seed
    }

    /// What stands before the bytes of the next chunk; ``lineEnd`` follows them.
    ///
    /// The chunk of no bytes ends the body.
    package mutating func head(of chunk: RawSpan) -> [UInt8] {
        let rest = "\(previous)\n\(Self.emptyHash)\n\(hex(Digest.of(chunk)))"
        previous = signer.sign("AWS4-HMAC-SHA256-PAYLOAD", at: time, rest.utf8)
        return Array("\(String(chunk.byteCount, radix: 16));chunk-signature=\(previous)\r\n".utf8)
    }

    /// A whole body in chunks of at most `chunk` bytes.
    package mutating func frame(_ body: [UInt8], chunk: Int) -> [UInt8] {
        var framed: [UInt8] = []
        framed.reserveCapacity(Int(Self.framedLength(of: UInt64(body.count), chunk: UInt64(chunk))))
        var start = 0
        while start < body.count {
            let end = min(start + chunk, body.count)
            framed.append(contentsOf: head(of: body.span.extracting(start..<end).bytes))
            framed.append(contentsOf: body[start..<end])
            framed.append(contentsOf: Self.lineEnd)
            start = end
        }
        framed.append(contentsOf: last())
        return framed
    }

    /// What ends the body.
    package mutating func last() -> [UInt8] {
        let nothing: [UInt8] = []
        return head(of: nothing.span.bytes) + Self.lineEnd
    }

    /// What follows the bytes of a chunk.
    package static let lineEnd: [UInt8] = [0x0D, 0x0A]

    /// How long a body of `size` bytes becomes in chunks of `chunk` bytes.
    package static func framedLength(of size: UInt64, chunk: UInt64) -> UInt64 {
        let rest = size % chunk
        return size / chunk * framed(chunk) + (rest > 0 ? framed(rest) : 0) + framed(0)
    }

    /// One chunk with its head and the ends of its lines.
    private static func framed(_ length: UInt64) -> UInt64 {
        UInt64(String(length, radix: 16).utf8.count + ";chunk-signature=".utf8.count + 64 + 4) + length
    }

    private static let emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}
