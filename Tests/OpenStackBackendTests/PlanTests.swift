import CofferPluginSDK
import OpenStackStore
import Testing

/// A manifest names a limited number of segments.
struct PlanTests {
    private let mebibyte: UInt64 = 1 << 20

    @Test func whatFitsIsCutAsPreferred() throws {
        let plan = try SegmentPlan(size: 100 * mebibyte, preferred: 16 * mebibyte, most: 1000)
        #expect(plan.size(ofSegment: 1) == 16 * mebibyte)
        #expect(plan.size(ofSegment: 1000) == 16 * mebibyte)
    }

    @Test func aLargerObjectHasLargerSegments() throws {
        let size: UInt64 = 100 << 30
        let plan = try SegmentPlan(size: size, preferred: 16 * mebibyte, most: 1000)
        #expect(plan.size(ofSegment: 1) * 1000 >= size)
        #expect(plan.size(ofSegment: 1) % mebibyte == 0)
    }

    @Test func whatIsTooLargeIsRefused() throws {
        let most = SegmentPlan.largestObject(1000)
        _ = try SegmentPlan(size: most, preferred: 16 * mebibyte, most: 1000)
        let error = #expect(throws: BackendError.self) {
            _ = try SegmentPlan(size: most + 1, preferred: 16 * mebibyte, most: 1000)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func segmentsOfAnUnknownWholeGrow() throws {
        let plan = try SegmentPlan(size: nil, preferred: 16 * mebibyte, most: 1000)
        #expect(plan.size(ofSegment: 1) == 16 * mebibyte)
        #expect(plan.size(ofSegment: 100) == 16 * mebibyte)
        #expect(plan.size(ofSegment: 101) == 32 * mebibyte)
        #expect(plan.size(ofSegment: 1000) == 256 * mebibyte)
        let total = (1...1000).reduce(0) { $0 + plan.size(ofSegment: $1) }
        #expect(total > 150 << 30)
    }

    @Test func largePreferredSegmentsDoNotShrink() throws {
        let plan = try SegmentPlan(size: nil, preferred: 512 * mebibyte, most: 10)
        #expect((1...10).allSatisfy { plan.size(ofSegment: $0) == 512 * mebibyte })
    }
}
