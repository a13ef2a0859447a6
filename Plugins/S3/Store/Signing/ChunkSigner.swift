// Bodies that are signed while they stream: each chunk carries a signature that binds it to the one before.

import CofferCrypto

/// Frames a body as `aws-chunked` with a signature for each chunk.
package struct ChunkSigner {
    private let signer: Signer
    private let time: [UInt8]
    private var previous: String

    /// Goes on from the signature of the request's head.
    package init(_ signer: Signer, at time: [UInt8], seed: String) {
        self.signer = signer
        self.time = time
        previous = seed
    }

    /// What stands before the bytes of the next chunk; `\r\n` follows them. The chunk of no bytes ends the body.
    package mutating func head(of chunk: RawSpan) -> [UInt8] {
        var rest = Array(previous.utf8)
        rest.append(0x0A)
        rest.append(contentsOf: Self.emptyHash)
        rest.append(0x0A)
        rest.append(contentsOf: hex(Digest.of(chunk)).utf8)
        previous = signer.sign("AWS4-HMAC-SHA256-PAYLOAD", time, rest)
        return Array("\(String(chunk.byteCount, radix: 16));chunk-signature=\(previous)\r\n".utf8)
    }

    /// How long a body of `size` bytes becomes in chunks of `chunk` bytes.
    package static func framedLength(of size: UInt64, chunk: UInt64) -> UInt64 {
        let rest = size % chunk
        return size / chunk * framed(chunk) + (rest > 0 ? framed(rest) : 0) + framed(0)
    }

    /// One chunk with its head and the end of its line.
    private static func framed(_ length: UInt64) -> UInt64 {
        UInt64(String(length, radix: 16).utf8.count + ";chunk-signature=".utf8.count + 64 + 4) + length
    }

    private static let emptyHash = Array(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".utf8
    )
}
