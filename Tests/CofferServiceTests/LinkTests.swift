// Links: no rule of a storage may be got around with one.
import CofferBackend
import CofferModel
import CofferService
import CofferSystem
import Testing

@Suite struct LinkTests {
    private let store = TestBackend(with: [.presign], limits: StoreLimits(presignSeconds: 7200))

    private func link(
        _ request: LinkRequest,
        _ policy: StoragePolicy = StoragePolicy()
    ) throws(CofferError) -> PresignedURL {
        try makeStorage(store, policy).link(request, call)
    }

    @Test func aLinkIsForTheStoresKeyAndForAnHour() throws {
        let link = try link(LinkRequest(key: "a.txt"), StoragePolicy(prefix: "team"))
        #expect(link.url == "https://store.example/team/a.txt?GET" && link.requiredHeaders.isEmpty)
        #expect(
            store.state.withLock { $0.presigned } == PresignRequest(method: .get, key: "team/a.txt", lifetime: 3600)
        )
        let left = link.expiresAt.nanoseconds - WallClock.nanoseconds
        #expect((3_590_000_000_000...3_600_000_000_000).contains(left))
    }

    @Test func anUploadIsBoundToATypeEvenWithoutOne() throws {
        let plain = try link(LinkRequest(method: .put, key: "a"))
        #expect(plain.requiredHeaders.map(\.value) == ["application/octet-stream"])
        let typed = try link(LinkRequest(method: .put, key: "a", contentType: "image/png", size: 5))
        #expect(typed.requiredHeaders.map(\.value) == ["image/png"])
        #expect(store.state.withLock { $0.presigned?.size } == 5)
    }

    @Test(arguments: [0, -1, .min, 7201, .max] as [Int64])
    func aLifetimeThatMayNotBeSaysTheLimit(seconds: Int64) throws {
        let error = failure { () throws(CofferError) in _ = try link(LinkRequest(key: "a", lifetime: seconds)) }
        #expect(error?.code == .invalidArgument && error?.storage == "files")
        #expect(
            error?.message == "expires_in must be 1 to 7200 seconds, which is the limit of the store, not \(seconds)"
        )
    }

    @Test func theShorterLimitCountsAndBoundsTheDefault() throws {
        let policy = StoragePolicy(linkLimit: 600)
        let error = failure { () throws(CofferError) in
            _ = try link(LinkRequest(key: "a", lifetime: 601), policy)
        }
        #expect(error?.message == "expires_in must be 1 to 600 seconds, which is max_link_ttl, not 601")
        _ = try link(LinkRequest(key: "a"), policy)
        #expect(store.state.withLock { $0.presigned?.lifetime } == 600)
        _ = try link(LinkRequest(key: "a", lifetime: 600), policy)
    }

    @Test func aStoreWithoutLinksSaysSo() throws {
        let error = failure { () throws(CofferError) in
            _ = try makeStorage(TestBackend()).link(LinkRequest(key: "a"), call)
        }
        #expect(error?.code == .unsupported && error?.message == "storage files makes no links: the store cannot")
    }

    @Test(arguments: [LinkMethod.put, .delete])
    func aReadOnlyStorageGivesNoLinkThatChangesIt(method: LinkMethod) throws {
        let policy = StoragePolicy(isReadOnly: true)
        #expect(
            code { () throws(CofferError) in _ = try link(LinkRequest(method: method, key: "a"), policy) }
                == .permissionDenied
        )
        _ = try link(LinkRequest(method: .head, key: "a"), policy)
    }

    @Test func anUploadLinkIsHeldToTheFileTypes() throws {
        let policy = StoragePolicy(accept: try FileTypeRule(["IMAGES"]), deny: try FileTypeRule(["svg"]))
        func put(_ key: Key, _ type: String?) -> CofferError.Code? {
            code { () throws(CofferError) in
                _ = try link(LinkRequest(method: .put, key: key, contentType: type), policy)
            }
        }
        #expect(put("a.png", "image/png") == nil && put("a.png", nil) == nil)
        #expect(put("a.exe", nil) == .badType && put("a.png", "text/html") == .badType)
        #expect(put("a", nil) == .badType && put("a.svg", "image/svg+xml") == .badType)
        _ = try link(LinkRequest(key: "a.exe"), policy)
    }

    @Test func anUploadLinkIsHeldToTheSizeOrRefused() throws {
        let policy = StoragePolicy(maxSize: 10)
        func put(_ size: Int64?) -> CofferError? {
            failure { () throws(CofferError) in
                _ = try link(LinkRequest(method: .put, key: "a", size: size), policy)
            }
        }
        #expect(put(10) == nil && put(0) == nil && put(11)?.code == .tooLarge && put(-1)?.code == .invalidArgument)
        #expect(
            put(nil)?.message
                == "storage files takes at most 10 bytes, and a link holds to that only if it says its size"
        )
    }

    @Test func aKeyThatMayNotBeReplacedMustBeFree() throws {
        store.plant("taken")
        let upload = LinkRequest(method: .put, key: "taken")
        #expect(code { () throws(CofferError) in _ = try link(upload) } == .alreadyExists)
        #expect(
            code { () throws(CofferError) in _ = try link(upload, StoragePolicy(onConflict: .rename)) }
                == .alreadyExists
        )
        _ = try link(upload, StoragePolicy(onConflict: .replace))
        _ = try link(LinkRequest(method: .put, key: "free"))
    }

    @Test(arguments: ["a/../b", "", "/a", "a//b", "a/"])
    func anUploadLinkTakesNoKeyThatAWriteWouldRefuse(key: String) throws {
        let request = LinkRequest(method: .put, key: Key(key))
        #expect(code { () throws(CofferError) in _ = try link(request) } == .invalidKey)
    }

    @Test(arguments: [
        LinkRequest(method: .delete, key: "a", contentType: "text/plain"),
        LinkRequest(method: .head, key: "a", contentType: "text/plain"),
        LinkRequest(method: .put, key: "a", filename: "b"), LinkRequest(key: "a", size: 5),
        LinkRequest(key: "a", filename: ""), LinkRequest(key: "a", filename: "a\r\nb"),
        LinkRequest(key: "a", filename: String(repeating: "x", count: 256)),
        LinkRequest(method: .put, key: "a", contentType: "text/plain\r\nHost: b"),
        LinkRequest(method: .put, key: "a", contentType: ""), LinkRequest(method: .put, key: "a", contentType: "é"),
    ])
    func whatMeansNothingOrIsNoHeaderIsRefused(request: LinkRequest) throws {
        #expect(code { () throws(CofferError) in _ = try link(request) } == .invalidArgument)
    }

    @Test func theTrueExpiryCounts() throws {
        let now = WallClock.nanoseconds
        store.faults.linkExpiry = Timestamp(nanoseconds: now + 100_000_000_000)
        #expect(try link(LinkRequest(key: "a")).expiresAt == store.faults.linkExpiry)
        store.faults.linkExpiry = Timestamp(nanoseconds: now - 1)
        #expect(code { () throws(CofferError) in _ = try link(LinkRequest(key: "a")) } == .backendError)
        store.faults.linkExpiry = Timestamp(nanoseconds: now + 4 * 3600 * 1_000_000_000)
        let policy = StoragePolicy(linkLimit: 3600)
        #expect(code { () throws(CofferError) in _ = try link(LinkRequest(key: "a"), policy) } == .unsupported)
        _ = try link(LinkRequest(key: "a"))
    }
}
