import CofferAPI
import CofferJSON
import CofferModel
import Testing

@Suite("Bodies are read as they are written")
struct BodyTests {
    static let full: StoredObject = {
        var info = ObjectInfo(key: "a/é\"\u{301}", size: 5, etag: "t-1", version: "v")
        info.modified = Timestamp("2026-11-21T11:52:19.5Z")
        info.created = Timestamp("1999-12-31T23:59:59.000000001Z")
        info.metadata = Metadata(
            contentType: "text/plain",
            contentEncoding: "gzip",
            contentDisposition: "inline",
            contentLanguage: "de",
            cacheControl: "no-cache",
            user: [UserMetadata("a", "1"), UserMetadata("b", "é")]
        )
        info.checksums = [Checksum(.sha256, String(repeating: "ab", count: 32))]
        return StoredObject(storage: "files", backend: "local", info: info, generation: 7)
    }()

    @Test func anObjectSurvives() throws {
        #expect(try StoredObject(parsing: Self.full.encode()) == Self.full)
        let bare = StoredObject(storage: "s", backend: "b", info: ObjectInfo(key: "k"), generation: 0)
        #expect(try StoredObject(parsing: bare.encode()) == bare)
    }

    @Test func whatIsUnknownIsNull() throws {
        let bare = StoredObject(storage: "s", backend: "b", info: ObjectInfo(key: "k"), generation: 3)
        #expect(
            String(decoding: bare.encode(), as: UTF8.self)
                == #"{"storage":"s","backend":"b","key":"k","size":null,"etag":null,"version":null,"modified":null,"#
                + #""created":null,"content_type":null,"content_encoding":null,"content_disposition":null,"#
                + #""content_language":null,"cache_control":null,"checksum":null,"metadata":{},"generation":3}"#
        )
    }

    @Test func anObjectSurvivesItsFields() throws {
        let fields = ObjectFields.fields(of: Self.full)
        #expect(try ObjectFields.object(key: Self.full.key, size: 5, fields: fields) == Self.full)
        let digest = fields.first { $0.name == "Repr-Digest" }
        #expect(digest?.value.hasPrefix("sha-256=:") == true)
        #expect(fields.contains { $0 == ("ETag", "\"t-1\"") })
        #expect(fields.contains { $0 == ("Last-Modified", "Sat, 21 Nov 2026 11:52:19 GMT") })
    }

    @Test func aDigestOfPartsIsNeverShown() {
        var object = Self.full
        object.info.checksums = [Checksum(.md5, "00", isComposite: true)]
        #expect(object.info.wholeChecksum == nil)
    }

    @Test func listingsAreWrittenWithoutValuesAsWithThem() throws {
        var batch = ListBatch()
        let times: [Int64] = [0, 1, -1, 1_500_000_000, 1_732_189_939_494_636_875, 951_782_399_999_000_000, .min]
        for (index, time) in times.enumerated() {
            var record = ListBatch.Record(isPrefix: index == 2, key: batch.keep("k\"\(index)é".utf8))
            record.modified = time
            record.size = Int64(index) - 1
            if index > 3 {
                record.etag = batch.keep("t".utf8)
                record.contentType = batch.keep("a/b".utf8)
                record.sha256 = batch.keep("00ff".utf8)
            }
            batch.records.append(record)
        }
        let line = ObjectLine(storage: "s\"", backend: "b", generation: 4)
        let page = try ListingPage(parsing: ListingPage.encode(batch, as: line, cursor: "c"))
        #expect(page.prefixes == ["k\"2é"])
        #expect(page.cursor == "c")
        #expect(page.objects.count == 6)
        for (object, index) in zip(page.objects, [0, 1, 3, 4, 5, 6]) {
            #expect(object.storage == "s\"")
            #expect(object.generation == 4)
            #expect(object.key == Key("k\"\(index)é"))
            #expect(object.info.size == (index == 0 ? nil : Int64(index) - 1))
            #expect(object.info.modified?.nanoseconds == (times[index] == .min ? nil : times[index]))
            #expect(object.info.etag == (index > 3 ? "t" : nil))
            #expect(object.info.checksums == (index > 3 ? [Checksum(.sha256, "00ff")] : []))
        }
        var bytes: [UInt8] = []
        for record in batch.records { line.appendLine(record, of: batch, to: &bytes) }
        let entries = try bytes.split(separator: 0x0A).map { try ListEntry(line: Array($0)) }
        #expect(entries.map(\.text) == (0..<7).map { "k\"\($0)é" })
    }

    @Test func timesAreWrittenAsTheirDescription() {
        for time: Int64 in [
            0, 1, 1000, 1_000_000, 123_456_789, -1, -1_000_000_000, .max, .min + 1, 951_825_600_000_000_000,
        ] {
            var bytes: [UInt8] = []
            bytes.appendTime(Timestamp(nanoseconds: time))
            #expect(String(decoding: bytes, as: UTF8.self) == Timestamp(nanoseconds: time).description)
        }
    }

    @Test func aBrokenListingSaysWhy() {
        let error = CofferError(.backendError, "the store went away", storage: "s")
        let thrown = #expect(throws: CofferError.self) { try ListEntry(line: ListEntry.problemLine(error).dropLast()) }
        #expect(thrown == error)
    }

    @Test func transfersSurvive() throws {
        let copy = TransferBody(from: "a", to: "b", toStorage: "s", onConflict: .rename, sourceIfMatch: "t")
        #expect(try TransferBody(parsing: copy.encode()) == copy)
        let duplicate = TransferBody(from: "a")
        #expect(try TransferBody(parsing: duplicate.encode(), isDuplicate: true) == duplicate)
    }

    @Test(arguments: [
        ("", "the body is not JSON: 1:1: the text ends where a value belongs"),
        ("[]", "the body must be an object, not an array"),
        ("{}", "from is missing"), (#"{"from":1}"#, "from must be a string, not an integer"),
        (#"{"from":"a"}"#, "to is missing"),
        (
            #"{"from":"a","to":"b","too":1}"#,
            "unknown member too; known are from, to_storage, source_if_match, to, on_conflict"
        ),
        (#"{"from":"a","to":"b","on_conflict":"x"}"#, "on_conflict must be error, replace or rename, not x"),
    ])
    func aBadBodyNamesItsField(text: String, message: String) {
        let error = #expect(throws: CofferError.self) { try TransferBody(parsing: Array(text.utf8)) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == message)
    }

    @Test func deletionsSurvive() throws {
        let body = DeletionBody([.init(key: "a"), .init(key: "b", ifMatch: "t")])
        #expect(try DeletionBody(parsing: body.encode()) == body)
        let results = [
            DeletionResult(key: "a"), DeletionResult(key: "b", error: CofferError(.preconditionFailed, "no")),
        ]
        #expect(try DeletionResult.parse(DeletionResult.encode(results)) == results)
        let prefix = PrefixDeletion(count: 3, isDryRun: true, keys: ["a"], failures: [CofferError(.timeout, "slow")])
        #expect(try PrefixDeletion(parsing: prefix.encode()) == prefix)
        let error = #expect(throws: CofferError.self) { try DeletionBody(parsing: Array(#"{"keys":["a",5]}"#.utf8)) }
        #expect(error?.message == "keys[1] must be an object, not an integer")
    }

    @Test func changesOfMetadataSurvive() throws {
        var change = MetadataChange()
        change.contentType = .set("a/b")
        change.cacheControl = .clear
        change.user = ["a": "1", "b": nil]
        #expect(try MetadataChange(parsing: change.encode()) == change)
        let error = #expect(throws: CofferError.self) {
            try MetadataChange(parsing: Array(#"{"content_type":"a\r\nX: y"}"#.utf8))
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func linksSurvive() throws {
        let body = LinkBody(
            key: "a/é",
            method: .put,
            expiresIn: 60,
            contentType: "text/plain",
            filename: "x",
            size: 5
        )
        #expect(try LinkBody(parsing: body.encode()) == body)
        #expect(try LinkBody(parsing: Array(#"{"key":"k"}"#.utf8)) == LinkBody(key: "k"))
        let end = try #require(Timestamp("2026-11-21T11:52:19Z"))
        let link = LinkInfo(
            url: "https://h/k?s",
            method: .delete,
            requiredHeaders: [.init("B", "2"), .init("A", "1")],
            expiresAt: end
        )
        #expect(try LinkInfo(parsing: link.encode()) == link)
        let containers = [ContainerInfo(name: "a", created: end), ContainerInfo(name: "é")]
        #expect(try ContainerInfo.parse(ContainerInfo.encode(containers)) == containers)
    }

    @Test func reportsSurvive() throws {
        var capabilities = Capabilities([.stat: .init(.native), .copy: .init(.emulated, reason: "read and write")])
        capabilities.facts = [.directories]
        let storage = StorageInfo(
            name: "s",
            backend: "b",
            isDefault: true,
            failure: CofferError(.unavailable, "down"),
            warning: CofferError(.timeout, "slow"),
            url: "https://x/",
            capabilities: capabilities,
            limits: StoreLimits(objectSize: 5),
            policy: [.init("max_size", "5MiB")],
            probe: [.init(capability: "if_match", verdict: "kept", detail: "seen")],
            generation: 2
        )
        #expect(try StorageInfo(parsing: storage.encode()).capabilities[.copy] == capabilities[.copy])
        let list = StorageList(storages: [storage], generation: 2)
        let read = try StorageList(parsing: list.encode())
        #expect(read.defaultStorage?.failure == storage.failure)
        #expect(read.defaultStorage?.warning == storage.warning && read.defaultStorage?.probe == storage.probe)
        #expect(read.defaultStorage?.limits == storage.limits)
        #expect(read.defaultStorage?.policy == storage.policy)
        let health = HealthInfo(
            storages: [.init(name: "s", backend: "b", failure: storage.failure)],
            profile: "p",
            generation: 1
        )
        #expect(try HealthInfo(parsing: health.encode()) == health)
        #expect(health.status == "degraded")
        let check = StorageHealth(storage: "s", details: [.init("bucket", "x")], milliseconds: 3)
        #expect(try StorageHealth(parsing: check.encode()) == check)
        let version = VersionInfo(version: "1", abi: "1.0")
        #expect(try VersionInfo(parsing: version.encode()) == version)
        let plugin = PluginInfo(
            id: "local",
            state: "failed",
            failure: storage.failure,
            options: [.init(name: "root", type: "path", isRequired: true)]
        )
        #expect(try PluginInfo.parse(PluginInfo.encode([plugin])) == [plugin])
        let profiles = ProfileList(
            profiles: [.init(name: "a"), .init(name: "b", extends: "a")],
            active: "b",
            decidedBy: "x",
            generation: 1
        )
        #expect(try ProfileList(parsing: profiles.encode()) == profiles)
        let result = ActivationResult(profile: "a", generation: 9)
        #expect(try ActivationResult(parsing: result.encode()) == result)
        let made = EphemeralStorageBody(backend: "memory", settings: JSONObject([.init(name: "size", value: "1MiB")]))
        #expect(try EphemeralStorageBody(parsing: made.encode()) == made)
    }
}
