// How an object is cut into blocks.

package import CofferPluginSDK

/// How an object is cut into blocks: at most 50,000, of at most 4000 MiB.
package struct BlockPlan: Sendable {
    /// The most blocks of a blob.
    package static let mostBlocks = 50_000
    /// The largest block.
    package static let largestBlock: UInt64 = 4000 << 20
    /// The least that may be set as the size of blocks.
    package static let smallestPart: UInt64 = 64 << 10
    /// The largest blob.
    package static let largestObject = UInt64(mostBlocks) * largestBlock
    /// Blocks of one size, where the whole is not known.
    private static let stride = 5000

    private let base: UInt64
    private let isKnown: Bool

    /// A plan for an object of `size` bytes, or of any; `preferred` is the size of blocks where nothing asks for more.
    package init(size: UInt64?, preferred: UInt64) throws(BackendError) {
        guard let size else {
            (base, isKnown) = (preferred, false)
            return
        }
        guard size <= Self.largestObject else {
            throw BackendError(.tooLarge, "an object has at most \(Self.largestObject) bytes")
        }
        let least = (size + UInt64(Self.mostBlocks) - 1) / UInt64(Self.mostBlocks)
        (base, isKnown) = (max(preferred, least), true)
    }

    /// The bytes of a block, which is counted from 1.
    ///
    /// Where the whole is unknown, blocks double after each 5000, up to 1 GiB.
    package func size(ofBlock number: Int) -> UInt64 {
        guard !isKnown else { return base }
        let doublings = UInt64((number - 1) / Self.stride)
        return max(base, min(base << min(doublings, 9), 1 << 30))
    }
}
