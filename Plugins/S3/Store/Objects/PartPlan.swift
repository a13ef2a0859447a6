// How an object is cut into parts.

package import CofferPluginSDK

/// How an object is cut into parts: at most 10,000, of at least 5 MiB but for the last, and at most 5 GiB.
package struct PartPlan: Sendable {
    /// The most parts of one upload.
    package static let mostParts = 10_000
    /// The least of a part that is not the last.
    package static let smallestPart: UInt64 = 5 << 20
    /// The largest part.
    package static let largestPart: UInt64 = 5 << 30
    /// The largest object.
    package static let largestObject: UInt64 = 5 << 40
    /// Parts of one size, where the whole is not known.
    private static let stride = 1000

    private let base: UInt64
    private let isKnown: Bool

    /// A plan for an object of `size` bytes, or of any; `preferred` is the part size where nothing asks for more.
    package init(size: UInt64?, preferred: UInt64) throws(BackendError) {
        guard let size else {
            (base, isKnown) = (preferred, false)
            return
        }
        guard size <= Self.largestObject else {
            throw BackendError(.tooLarge, "an object has at most 5 TiB")
        }
        let least = (size + UInt64(Self.mostParts) - 1) / UInt64(Self.mostParts)
        // Whole MiB, as some stores want equal parts of a round size.
        let rounded = ((least + (1 << 20) - 1) >> 20) << 20
        (base, isKnown) = (max(preferred, rounded), true)
    }

    /// The bytes of a part, which is counted from 1.
    ///
    /// Where the whole is unknown, parts double after each thousand, up to 2 GiB: that reaches past the largest object,
    /// and what is small takes little memory.
    package func size(ofPart number: Int) -> UInt64 {
        guard !isKnown else { return base }
        let doublings = UInt64((number - 1) / Self.stride)
        return max(base, min(base << min(doublings, 20), 2 << 30))
    }
}
