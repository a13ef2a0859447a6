import CofferPluginSDK
import S3Store
import Testing

/// Parts reach every size, and the store's clock is known no better than it can be.
struct PlanTests {
    private let mebibyte: UInt64 = 1 << 20

    @Test func aKnownSizeFitsIntoTheMostParts() throws {
        for size in [0, 1, 8 << 20, 80 << 30, 6 << 30, 5 << 40] as [UInt64] {
            let plan = try PartPlan(size: size, preferred: 8 * mebibyte)
            let part = plan.size(ofPart: 1)
            #expect(part >= 8 * mebibyte && part <= PartPlan.largestPart && part % mebibyte == 0)
            #expect((size + part - 1) / part <= UInt64(PartPlan.mostParts))
            #expect(plan.size(ofPart: 9999) == part)
        }
    }

    @Test func moreThanTheLargestObjectIsRefused() {
        #expect(throws: BackendError.self) { try PartPlan(size: (5 << 40) + 1, preferred: 8 << 20) }
    }

    @Test func anUnknownSizeReachesTheLargestObject() throws {
        for preferred in [5, 8, 64, 5 << 10] as [UInt64] {
            let plan = try PartPlan(size: nil, preferred: preferred * mebibyte)
            let sizes = (1...PartPlan.mostParts).map { plan.size(ofPart: $0) }
            #expect(sizes.first == preferred * mebibyte)
            #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 <= $1 })
            #expect(sizes.allSatisfy { $0 <= PartPlan.largestPart })
            #expect(preferred < 8 || sizes.reduce(0, +) >= PartPlan.largestObject)
        }
    }

    private let second: Int64 = 1_000_000_000

    @Test func nothingIsCertainOfAClockThatWasNeverSeen() {
        #expect(StoreClock().moment(asked: 0, answered: 1) == nil)
    }

    @Test func aChangeOfSecondsTellsTheClock() {
        let clock = StoreClock()
        // The store is 300 ms ahead; answers come at once.
        let offset: Int64 = 300_000_000
        for step in 0..<200 {
            let now = 1_000 * second + Int64(step) * 7_000_000
            let date = (now + offset) / second * second
            clock.note(date, asked: now, answered: now + 1_000_000)
        }
        let now = 1_002 * second
        #expect(clock.moment(asked: now, answered: now + 1_000_000) == 1_002 * second)
        // Near the store's change of seconds it may be either.
        let edge = now + 700_000_000
        #expect(clock.moment(asked: edge - 1_000_000, answered: edge + 1_000_000) == nil)
        #expect(clock.moment(asked: edge + 30_000_000, answered: edge + 31_000_000) == 1_003 * second)
    }

    @Test func aClockThatWasSetIsBelievedAnew() {
        let clock = StoreClock()
        clock.note(100 * second, asked: 100 * second, answered: 100 * second)
        clock.note(500 * second, asked: 101 * second, answered: 101 * second)
        clock.note(501 * second, asked: 101 * second + 500_000_000, answered: 101 * second + 500_000_000)
        let moment = clock.moment(asked: 101 * second + 700_000_000, answered: 101 * second + 700_000_000)
        #expect(moment == nil || moment == 501 * second)
    }
}
