import CofferAPI
import CofferModel
import Testing

@Suite("Fields mean what their RFCs say")
struct FieldTests {
    /// Fields as a head would hold them.
    private func lookup(_ fields: [String: [String]]) -> FieldLookup { { fields[$0] ?? [] } }

    @Test(arguments: [
        ("bytes=0-99", ByteRange.slice(offset: 0, length: 100)), ("bytes=5-", .from(5)), ("bytes=-10", .suffix(10)),
        ("Bytes = 1-1", .slice(offset: 1, length: 1)),
        ("bytes=0-99999999999999999999", .slice(offset: 0, length: .max)),
        ("bytes=5-4", .all), ("bytes=a-b", .all), ("bytes=", .all), ("bytes=-", .all), ("items=0-1", .all),
        ("bytes=0-1,5-6", .all), ("bytes=1-2-3", .all), ("0-5", .all), ("bytes=+1-2", .all),
    ])
    func aRangeIsReadOrIgnored(text: String, range: ByteRange) throws {
        #expect(try RangeFields.parse([text]) == range)
    }

    @Test func theLastZeroBytesCannotBeRead() {
        let error = #expect(throws: CofferError.self) { try RangeFields.parse(["bytes=-0"]) }
        #expect(error?.code == .rangeInvalid)
    }

    @Test(arguments: [ByteRange.from(3), .slice(offset: 2, length: 4), .suffix(9), .from(.max)])
    func aRangeSurvivesItsField(range: ByteRange) throws {
        let text = try #require(RangeFields.format(range))
        #expect(try RangeFields.parse([text]) == range)
    }

    @Test func contentRangeSurvives() throws {
        let parsed = try #require(RangeFields.parseContentRange(RangeFields.contentRange(2..<7, of: 10)))
        #expect(parsed.range == 2..<7)
        #expect(parsed.size == 10)
        #expect(RangeFields.parseContentRange("bytes */10") == nil)
        #expect(RangeFields.parseContentRange("bytes 5-4/10") == nil)
        #expect(RangeFields.parseContentRange("bytes 0-10/10") == nil)
    }

    @Test(arguments: [
        ("*", Conditions.Match.any), ("\"a\"", .tokens(["a"])), ("\"a\", \"b,c\" ,\"\"", .tokens(["a", "b,c", ""])),
        ("W/\"a\"", .tokens([])), ("W/\"a\", \"b\"", .tokens(["b"])),
    ])
    func ifMatchComparesStrongly(text: String, match: Conditions.Match) throws {
        #expect(try RequestConditions(lookup(["if-match": [text]])).match == Conditions(ifMatch: match))
    }

    @Test func ifNoneMatchComparesWeakly() throws {
        let conditions = try RequestConditions(lookup(["if-none-match": ["W/\"a\"", "\"b\""]]))
        #expect(conditions.match.ifNoneMatch == .tokens(["a", "b"]))
    }

    @Test(arguments: ["a", "\"a", "\"a\" \"b\"", "", "*, \"a\"", "\"a b\"", "w/\"a\""])
    func aMalformedTagIsRefused(text: String) {
        let error = #expect(throws: CofferError.self) { try RequestConditions(lookup(["if-match": [text]])) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func datesCountOnlyWithoutTags() throws {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT"
        let both = try RequestConditions(lookup(["if-none-match": ["\"a\""], "if-modified-since": [date]]))
        #expect(both.modifiedSince == nil)
        let alone = try RequestConditions(lookup(["if-modified-since": [date], "if-unmodified-since": ["nonsense"]]))
        #expect(alone.modifiedSince?.seconds == 784_111_777)
        #expect(alone.unmodifiedSince == nil)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func allThreeFormsOfADateAreOneMoment(text: String) {
        #expect(HTTPDate.parse(text)?.seconds == 784_111_777)
    }

    @Test func aDateSurvives() throws {
        for seconds: Int64 in [0, 784_111_777, 951_782_400, 1_709_164_800, 4_102_444_799] {
            let time = Timestamp(nanoseconds: seconds * 1_000_000_000)
            #expect(HTTPDate.parse(HTTPDate.format(time)) == time)
        }
        #expect(HTTPDate.format(Timestamp(nanoseconds: 0)) == "Thu, 01 Jan 1970 00:00:00 GMT")
        for text in [
            "", "yesterday", "Sun, 06 Nov 1994 25:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 00 Nov 1994 08:49:37 GMT",
        ] {
            #expect(HTTPDate.parse(text) == nil)
        }
    }

    @Test func ifRangeNeedsAStrongTagOrTheSameSecond() {
        let info = ObjectInfo(key: "a", etag: "x", modified: Timestamp(nanoseconds: 784_111_777_500_000_000))
        #expect(RangeCondition(parsing: "\"x\"").allows(info))
        #expect(!RangeCondition(parsing: "W/\"x\"").allows(info))
        #expect(!RangeCondition(parsing: "\"y\"").allows(info))
        #expect(RangeCondition(parsing: "Sun, 06 Nov 1994 08:49:37 GMT").allows(info))
        #expect(!RangeCondition(parsing: "Sun, 06 Nov 1994 08:49:38 GMT").allows(info))
        #expect(!RangeCondition(parsing: "nonsense").allows(info))
    }

    @Test func digestsAreReadInEitherField() throws {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        let fields = [
            "content-digest": ["sha-256=:\(empty):, crc32c=:AAAAAA==:"], "repr-digest": ["sha-256=:\(empty):;q=1"],
        ]
        let checksums = try DigestFields.parse(lookup(fields))
        #expect(checksums.map(\.algorithm) == [.sha256, .crc32c])
        #expect(checksums[0].value == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(answered(checksums) == "sha-256=:\(empty):")
        #expect(answered([Checksum(.sha256, checksums[0].value, isComposite: true)]) == "")
        #expect(try DigestFields.announcement(checksums) == "sha-256=:\(empty):, crc32c=:AAAAAA==:")
    }

    private func answered(_ checksums: [Checksum]) -> String {
        var bytes: [UInt8] = []
        DigestFields.append(checksums, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (Checksum(Checksum.Algorithm(rawValue: "crc99"), "00"), "unsupported"),
        (Checksum(.crc32c, "00000000", isComposite: true), "unsupported"),
        (Checksum(.crc32c, "000000"), "invalid_argument"), (Checksum(.crc32c, "0000000z"), "invalid_argument"),
    ])
    func aDigestThatCannotBeAnnouncedIsNotLeftOut(checksum: Checksum, code: String) {
        let error = #expect(throws: CofferError.self) { try DigestFields.announcement([checksum]) }
        #expect(error?.code.rawValue == code)
    }

    @Test(arguments: [
        ("sha-1=:AAAA:", "unsupported"), ("sha-256=:AAAA:", "invalid_argument"), ("sha-256=AAAA", "invalid_argument"),
        ("sha-256", "invalid_argument"), ("sha-256=:!!!!:", "invalid_argument"),
        ("crc32c=:AAAAAA==:x", "invalid_argument"),
    ])
    func aDigestThatCannotBeHonouredIsRefused(text: String, code: String) {
        let error = #expect(throws: CofferError.self) { try DigestFields.parse(text, field: "content-digest") }
        #expect(error?.code.rawValue == code)
    }

    @Test func base64Survives() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
            #expect(Base64.decode(Array(Base64.encode(bytes).utf8)) == bytes)
            #expect(Hexadecimal.decode(Hexadecimal.encode(bytes)) == bytes)
        }
        for text in ["A", "AB=C", "AA===", "AB==", "=", "A-_="] { #expect(Base64.decode(Array(text.utf8)) == nil) }
    }

    @Test func userMetadataTravels() throws {
        var metadata = Metadata(contentType: "text/plain", cacheControl: "no-store")
        metadata.user = [UserMetadata("a-b", " é\n%\"x "), UserMetadata("empty", "")]
        let fields = RequestFields.fields(of: metadata)
        #expect(fields.allSatisfy { $0.value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } })
        #expect(try RequestFields.metadata(fields) == metadata)
    }

    @Test func userMetadataHasBounds() {
        let long = String(repeating: "x", count: 8192)
        let tooMuch = #expect(throws: CofferError.self) { try RequestFields.metadata([("Coffer-Meta-a", long)]) }
        #expect(tooMuch?.code == .tooLarge)
        for fields: FieldList in [
            [("coffer-meta-a b", "x")], [("Coffer-Meta-a", "%F")], [("coffer-meta-a", "1"), ("Coffer-Meta-A", "2")],
        ] {
            let error = #expect(throws: CofferError.self) { try RequestFields.metadata(fields) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test(arguments: [
        ("a.txt", #"attachment; filename="a.txt""#),
        ("é \".txt", #"attachment; filename="_ _.txt"; filename*=UTF-8''%C3%A9%20%22.txt"#),
        ("50%.txt", #"attachment; filename="50_.txt"; filename*=UTF-8''50%25.txt"#),
    ])
    func aDownloadKeepsItsName(filename: String, field: String) {
        #expect(ContentDisposition.make(filename: filename) == field)
    }

    @Test func aDescriptorFieldSurvives() throws {
        let field = DescriptorField(offset: 7, length: 9)
        #expect(try DescriptorField(parsing: field.text) == field)
        for text in [
            "", "offset=1", "offset=1; length=-1", "offset=1;length=2;x=3", "offset=1;length=9223372036854775807",
        ] {
            #expect(throws: CofferError.self) { try DescriptorField(parsing: text) }
        }
    }

    @Test func anIdempotencyKeyIsBareOrQuoted() throws {
        #expect(try RequestFields.idempotencyKey(lookup(["idempotency-key": ["\"k-1\""]])) == "k-1")
        #expect(try RequestFields.idempotencyKey(lookup(["idempotency-key": ["k-1"]])) == "k-1")
        #expect(try RequestFields.idempotencyKey(lookup([:])) == nil)
        for value in ["", "\"\"", "a b", String(repeating: "k", count: 256)] {
            #expect(throws: CofferError.self) { try RequestFields.idempotencyKey(lookup(["idempotency-key": [value]])) }
        }
    }

    @Test func preferencesAreFound() {
        #expect(Wire.wantsDescriptor(prefer: ["respond-async, Coffer-FD; x=1"]))
        #expect(!Wire.wantsDescriptor(prefer: ["coffer-fdx"]))
        #expect(Wire.wantsNDJSON(accept: ["text/html, application/x-ndjson;q=0.9"]))
        #expect(!Wire.wantsNDJSON(accept: ["*/*"]))
    }
}
