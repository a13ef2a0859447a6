import CofferProfile
import CofferTestSupport
import Testing

/// `docs/profiles.md` is what the code says now.
struct ReferenceTests {
    @Test func thePageIsTheOneThatTheHostPrints() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try #require(readWholeFile("/\(root)/docs/profiles.md"))
        #expect(page == profileReference(), "docs/profiles.md is stale: run `make docs`")
    }
}
