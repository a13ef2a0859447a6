// How a large object is cut into segments.

package import CofferPluginSDK

/// How a large object is cut into segments, of which a manifest names a limited number.
package struct SegmentPlan: Sendable {
    /// The largest segment: each is held in memory until the store has it.
    package static let largestSegment: UInt64 = 512 << 20
    /// Where the whole is not known, segments do not grow beyond this.
    private static let largestUnknown: UInt64 = 256 << 20

    private let base: UInt64
    private let stride: Int
    private let isKnown: Bool

    /// A plan for an object of `size` bytes, or of any; `preferred` is the size of segments where nothing asks for more.
    package init(size: UInt64?, preferred: UInt64, most: Int) throws(BackendError) {
        stride = max(1, most / 10)
        guard let size else {
            (base, isKnown) = (preferred, false)
            return
        }
        let least = (size + UInt64(most) - 1) / UInt64(most)
        let rounded = ((least + (1 << 20) - 1) >> 20) << 20
        (base, isKnown) = (max(preferred, rounded), true)
        guard base <= Self.largestSegment else {
            throw BackendError(.tooLarge, "an object has at most \(most) segments of 512 MiB")
        }
    }

    /// The largest object of so many segments.
    package static func largestObject(_ most: Int) -> UInt64 { UInt64(most) * largestSegment }

    /// The bytes of a segment, which is counted from 1: where the whole is unknown they double with each tenth of them.
    package func size(ofSegment number: Int) -> UInt64 {
        guard !isKnown else { return base }
        let doublings = UInt64(min((number - 1) / stride, 20))
        return max(base, min(base << doublings, Self.largestUnknown))
    }
}
