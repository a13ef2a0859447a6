// Digests that a caller claims of the bytes that he sends.

import CofferCrypto
import CofferPluginSDK

/// Digests that a caller claims of the bytes that he sends, proven before anything is published.
struct Claims {
    private let claimed: [(claim: Checksum, algorithm: Digest.Algorithm)]
    private var digests: [Digest] = []

    init(_ claims: Checksums) {
        claimed = claims.compactMap { claim in
            guard !claim.isComposite, let algorithm = Digest.Algorithm(rawValue: claim.algorithm) else { return nil }
            return (claim, algorithm)
        }
    }

    /// The claims that are proven at the end, and so may be kept before.
    var provable: Checksums {
        var provable = Checksums()
        for (claim, _) in claimed { provable.append(claim) }
        return provable
    }

    /// Computes from now on, for bytes that do not stay at hand.
    mutating func compute() { digests = claimed.map { Digest($0.algorithm) } }

    /// Takes in the next bytes.
    func update(_ bytes: RawSpan) {
        for digest in digests { digest.update(bytes) }
    }

    /// Compares every claim with the bytes, and answers what is known of them; `whole` is all of them, if it is at hand.
    func prove(_ computed: Checksums, whole: [UInt8]?) throws(BackendError) -> Checksums {
        var known = computed
        for (index, (claim, algorithm)) in claimed.enumerated() {
            let actual: String
            if let own = computed[claim.algorithm], !own.isComposite {
                actual = own.value
            } else if let whole {
                actual = hex(Digest.of(whole, algorithm))
            } else if index < digests.count {
                actual = digests[index].finishHex()
            } else {
                continue
            }
            guard actual.utf8.elementsEqual(claim.value.utf8) else {
                throw BackendError(.checksum, "the \(claim.algorithm) of the bytes is another one")
            }
            if known[claim.algorithm] == nil { known.append(claim) }
        }
        return known
    }
}
