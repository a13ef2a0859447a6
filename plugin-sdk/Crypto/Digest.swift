import CChecksum
import COpenSSL

/// A digest that is computed piece by piece, while the bytes stream by.
///
/// One thread at a time. The algorithm's code is fetched from OpenSSL once for the process: fetching it for each
/// digest would cost more than hashing a small object.
public final class Digest {
    /// How a digest is computed; the raw value is the word in YAML, JSON and the ABI.
    public enum Algorithm: String, Sendable, Hashable, CaseIterable {
        /// SHA-256 (FIPS 180-4).
        case sha256
        /// SHA-512 (FIPS 180-4).
        case sha512
        /// MD5 (RFC 1321): only to check what others computed.
        case md5
        /// SHA-1 (FIPS 180-4): only to check what others computed.
        case sha1
        /// CRC-32C (RFC 3720, appendix B.4), most significant byte first.
        case crc32c
    }

    /// What is computed.
    public let algorithm: Algorithm
    private let context: OpaquePointer?
    private var crc: UInt32 = 0
    private var result: [UInt8]?

    /// Begins a digest of no bytes.
    public init(_ algorithm: Algorithm) {
        self.algorithm = algorithm
        guard let method = algorithm.method else {
            context = nil
            return
        }
        context = EVP_MD_CTX_new()
        guard context != nil, EVP_DigestInit_ex2(context, method, nil) == 1 else { fatalError("out of memory") }
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes in the next bytes; after ``finish()`` none may come.
    public func update(_ bytes: RawSpan) { bytes.withUnsafeBytes { update($0) } }

    /// Takes in the next bytes; after ``finish()`` none may come.
    public func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(result == nil, "the digest is finished")
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        if let context {
            // Only a context that was never initialised refuses, and this one was.
            _ = EVP_DigestUpdate(context, base, bytes.count)
        } else {
            crc = coffer_crc32c(crc, base, bytes.count)
        }
    }

    /// Ends the digest and gives its bytes; a second time gives the same again.
    public func finish() -> [UInt8] {
        if let result { return result }
        let digest: [UInt8]
        if let context {
            digest = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
                var length: UInt32 = 0
                _ = EVP_DigestFinal_ex(context, buffer.baseAddress, &length)
                count = Int(length)
            }
        } else {
            digest = (0..<4).map { UInt8(truncatingIfNeeded: crc >> (24 - 8 * $0)) }
        }
        result = digest
        return digest
    }

    /// Ends the digest and gives it in lower-case hexadecimal.
    public func finishHex() -> String { hex(finish()) }

    /// The digest of `bytes`.
    public static func of(_ bytes: RawSpan, _ algorithm: Algorithm = .sha256) -> [UInt8] {
        let digest = Digest(algorithm)
        digest.update(bytes)
        return digest.finish()
    }

    /// The digest of `bytes`.
    public static func of(_ bytes: [UInt8], _ algorithm: Algorithm = .sha256) -> [UInt8] {
        of(bytes.span.bytes, algorithm)
    }
}

extension Digest.Algorithm {
    /// OpenSSL's method; nil for what is computed here.
    fileprivate var method: OpaquePointer? {
        switch self {
        case .sha256: Self.sha256Method
        case .sha512: Self.sha512Method
        case .md5: Self.md5Method
        case .sha1: Self.sha1Method
        case .crc32c: nil
        }
    }

    // Read-only after they were fetched; OpenSSL's methods may be used by all threads at once.
    nonisolated(unsafe) private static let sha256Method = fetched("SHA256")
    nonisolated(unsafe) private static let sha512Method = fetched("SHA512")
    nonisolated(unsafe) private static let md5Method = fetched("MD5")
    nonisolated(unsafe) private static let sha1Method = fetched("SHA1")

    private static func fetched(_ name: String) -> OpaquePointer {
        guard let method = EVP_MD_fetch(nil, name, nil) else { fatalError("this OpenSSL has no \(name)") }
        return method
    }
}
