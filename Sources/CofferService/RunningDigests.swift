// The digests of one body, computed while it passes.
import CofferCrypto
import CofferModel
import CofferSystem

/// Several digests over the same bytes.
struct RunningDigests {
    private var running: [(algorithm: Checksum.Algorithm, digest: Digest)] = []

    /// Begins one for each of `algorithms`.
    ///
    /// - Throws: ``CofferError`` with `unsupported` for one that is not known.
    init(_ algorithms: [Checksum.Algorithm]) throws(CofferError) {
        for algorithm in algorithms where !running.contains(where: { $0.algorithm == algorithm }) {
            guard let known = Digest.Algorithm(rawValue: algorithm.rawValue) else {
                throw CofferError(.unsupported, "no such checksum: \(algorithm.rawValue)")
            }
            running.append((algorithm, Digest(known)))
        }
    }

    var isEmpty: Bool { running.isEmpty }

    func has(_ algorithm: Checksum.Algorithm) -> Bool { running.contains { $0.algorithm == algorithm } }

    func update(_ bytes: RawSpan) {
        for (_, digest) in running { digest.update(bytes) }
    }

    /// The digests of all bytes so far; none may follow.
    func finish() -> [Checksum] { running.map { Checksum($0.algorithm, $0.digest.finishHex()) } }
}

extension Checksum {
    /// Whether a digest can be computed here.
    var isComputable: Bool { !isComposite && Digest.Algorithm(rawValue: algorithm.rawValue) != nil }

    /// Refuses what can be no digest of its algorithm.
    func checkAnnounced() throws(CofferError) {
        guard isComputable else { throw CofferError(.unsupported, "no such checksum: \(algorithm.rawValue)") }
        guard !value.isEmpty, value.utf8.count.isMultiple(of: 2), value.utf8.allSatisfy(Self.isHexadecimal) else {
            throw CofferError(.invalidArgument, "the \(algorithm.rawValue) is not in hexadecimal")
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
