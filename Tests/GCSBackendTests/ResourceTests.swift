// Objects as the JSON API writes them, tokens, listings, and what sessions and refusals say.

import CofferJSON
import CofferPluginSDK
import CofferTransport
import GCSStore
import Testing

@Suite struct ResourceTests {
    private let text = """
        {"kind": "storage#object", "name": "a/b", "size": "12", "generation": "1700000000000001", "metageneration": "3",
         "contentType": "text/plain", "cacheControl": "no-cache", "md5Hash": "XUFAKrxLKna5cZ2REBfFkg==",
         "crc32c": "mnG7TA==", "timeCreated": "2024-05-06T07:08:09.123Z", "updated": "2024-05-06T07:08:10.500Z",
         "storageClass": "STANDARD",
         "metadata": {"Colour": "blue", "coffer-sha256": "00ff", "coffer-attempt": "0a", "é": ""}}
        """

    private func resource(_ text: String) throws -> ObjectResource {
        try #require(ObjectResource(try JSONValue(parsing: text)))
    }

    @Test func aResourceIsRead() throws {
        let found = try resource(text)
        #expect(found.entry.key == "a/b")
        #expect(found.entry.size == 12)
        #expect(found.entry.etag == "1700000000000001-3")
        #expect(found.entry.created == 1_714_979_289_123_000_000)
        #expect(found.entry.modified == 1_714_979_290_500_000_000)
        #expect(found.entry.properties == ["content-type": "text/plain", "cache-control": "no-cache"])
        #expect(found.entry.metadata == ["colour": "blue", "é": ""])
        #expect(found.entry.checksums["crc32c"]?.value == "9a71bb4c")
        #expect(found.entry.checksums["md5"]?.value == "5d41402abc4b2a76b9719d911017c592")
        #expect(found.entry.checksums["sha256"]?.value == "00ff")
        #expect(found.attempt == "0a")
    }

    @Test func numbersMayStandAsNumbers() throws {
        let found = try resource(#"{"name": "x", "size": 5, "generation": 7, "metageneration": 1}"#)
        #expect(found.entry.size == 5)
        #expect(found.entry.etag == "7-1")
        #expect(ObjectResource(try JSONValue(parsing: "{}")) == nil)
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var draft = try ObjectDraft("k", properties: ["content-language": "de"], metadata: ["a": "b\n\u{1F600}"])
        draft.checksums.append(Checksum(algorithm: "sha256", value: "ab"))
        draft.checksums.append(Checksum(algorithm: "crc32c", value: "9a71bb4c"))
        draft.attempt = "ff"
        let back = try #require(ObjectResource(try JSONValue(parsing: draft.document(name: "k\u{1}"))))
        #expect(back.entry.key == "k\u{1}")
        #expect(back.entry.properties == ["content-type": "application/octet-stream", "content-language": "de"])
        #expect(back.entry.metadata == ["a": "b\n\u{1F600}"])
        #expect(back.entry.checksums.map(\.algorithm) == ["sha256"])
        #expect(back.attempt == "ff")
    }

    @Test func aChangeTakesAwayWhatIsNotSaidAnyMore() throws {
        let draft = try ObjectDraft("a/b", properties: ["content-type": "a/b"], metadata: ["new": "1"])
        let patch = try JSONValue(parsing: draft.patch(over: resource(text)))
        #expect(patch["contentType"] == "a/b")
        #expect(patch["cacheControl"] == .null)
        #expect(patch["metadata"]?["new"] == "1")
        #expect(patch["metadata"]?["Colour"] == .null)
        #expect(patch["metadata"]?["é"] == .null)
    }

    @Test func whatCannotBeKeptIsRefused() {
        let long = Properties(dictionaryLiteral: ("a", String(repeating: "x", count: 8000)))
        for metadata in [long, ["": "x"], ["coffer-sha256": "x"]] as [Properties] {
            #expect(throws: BackendError.self) { try ObjectDraft("k", properties: [:], metadata: metadata) }
        }
        #expect(throws: BackendError.self) { try ObjectDraft("k", properties: ["colour": "x"], metadata: [:]) }
    }

    @Test func tokensAreTwoNumbers() {
        #expect(VersionToken("12-3") == VersionToken(generation: 12, metageneration: 3))
        #expect(VersionToken(generation: 12, metageneration: 3).tag == "12-3")
        for text in ["", "12", "12-", "-3", "12-3-4", "012-3", "12-x", "99999999999999999999-1", "+1-1"] {
            #expect(VersionToken(ByteString(text)) == nil, "\(text)")
        }
    }

    @Test func conditionsBecomeParameters() throws {
        func query(_ conditions: Conditions) throws(BackendError) -> String {
            encodedQuery(try Precondition("k", conditions).query)
        }
        #expect(try query(Conditions()) == "")
        #expect(try query(Conditions(ifNoneMatch: "*")) == "ifGenerationMatch=0")
        #expect(try query(Conditions(ifMatch: "*")) == "ifGenerationNotMatch=0")
        #expect(try query(Conditions(ifMatch: "12-3")) == "ifGenerationMatch=12&ifMetagenerationMatch=3")
        #expect(throws: BackendError.self) { try query(Conditions(ifMatch: "not ours")) }
    }

    @Test func aPageIsInOneOrder() throws {
        let page = try ListingDocument(
            Array(
                #"{"items": [{"name": "a"}, {"name": "b-"}, {"name": "c"}], "prefixes": ["b/"], "nextPageToken": "t+/="}"#
                    .utf8
            )
        )
        #expect(page.items.map(\.key) == ["a", "b-", "b/", "c"])
        #expect(page.items.map { $0.entry == nil } == [false, false, true, false])
        #expect(page.next == "t+/=")
        let plain = try ListingDocument(
            Array(#"{"items": [{"name": "a", "size": "3", "generation": "7", "metageneration": "2"}]}"#.utf8),
            isDescribed: false
        )
        #expect(plain.items.first?.entry?.size == 3)
        #expect(plain.items.first?.entry?.etag == "7-2")
        let last = try ListingDocument(Array(#"{"kind": "storage#objects"}"#.utf8))
        #expect(last.items.isEmpty && last.next == nil)
        for text in ["", "[]", #"{"items": [{}]}"#, #"{"prefixes": [1]}"#] {
            #expect(throws: BackendError.self) { try ListingDocument(Array(text.utf8)) }
        }
    }

    @Test(arguments: [
        (200, nil, "finished"), (201, nil, "finished"), (308, nil, "kept(0)"), (308, "bytes=0-262143", "kept(262144)"),
        (308, "bytes=5-9", "refused"), (308, "0-9", "refused"), (308, "bytes=0-18446744073709551615", "refused"),
        (404, nil, "gone"), (410, nil, "gone"), (412, nil, "refused"), (503, nil, "refused"),
    ])
    func aSessionsAnswerSaysHowFarItIs(status: Int, range: String?, expected: String) {
        var headers = HTTPHeaders()
        headers["Range"] = range
        #expect("\(SessionAnswer(HTTPHead(status: status, headers: headers)))" == expected)
    }

    @Test(arguments: [
        (403, "rateLimitExceeded", "", BackendError.Code.rateLimited, true),
        (403, "forbidden", "", .permission, false),
        (401, "authError", "", .unauthenticated, false),
        (404, "notFound", "No such object: b/k", .notFound, false),
        (409, "conflict", "", .alreadyExists, false),
        (400, "invalid", "Provided CRC32C \"a\" doesn't match calculated CRC32C \"b\".", .io, true),
        (429, "rateLimitExceeded", "", .rateLimited, true),
    ])
    func aRefusalIsUnderstood(status: Int, reason: String, message: String, code: BackendError.Code, again: Bool) {
        let body: JSONValue = [
            "error": [
                "code": .integer(Int64(status)), "message": .string(message), "errors": [["reason": .string(reason)]],
            ]
        ]
        let answer = HTTPAnswer(head: HTTPHead(status: status, headers: [:]), body: body.bytes())
        let error = Refusal(answer).error(answer, "doing", key: "k")
        #expect(error.code == code)
        #expect(error.isRetryable == again)
    }

    @Test func anAbsentBucketIsToldFromAnAbsentObject() {
        let body: JSONValue = [
            "error": ["message": "The specified bucket does not exist.", "errors": [["reason": "notFound"]]]
        ]
        let answer = HTTPAnswer(head: HTTPHead(status: 404, headers: [:]), body: body.bytes())
        #expect(Refusal(answer).isAboutBucket)
        #expect(Refusal(answer).error(answer, "doing", key: "k").message.contains("no such bucket"))
    }

    @Test func plainTextIsARefusalToo() {
        let answer = HTTPAnswer(head: HTTPHead(status: 503, headers: [:]), body: Array("Service Unavailable".utf8))
        #expect(Refusal(answer).error(answer, "doing", key: nil).code == .unavailable)
    }
}
