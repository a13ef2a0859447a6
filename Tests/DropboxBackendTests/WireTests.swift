// What goes to Dropbox, and what comes from it.

import CofferJSON
import CofferPluginSDK
import CofferTransport
import DropboxStore
import Testing

/// What is said to Dropbox.
struct ArgumentTests {
    @Test func anArgumentIsASCIIInAHeaderAndMeansTheSame() throws {
        let value: JSONValue = ["path": "/ä/日本/\u{1F600}/\u{7F}\"\\"]
        let text = value.asciiText
        #expect(text == #"{"path":"/\u00e4/\u65e5\u672c/\ud83d\ude00/\u007f\"\\"}"#)
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test func aTimeIsInWholeSeconds() {
        #expect(Moment.text(1_431_445_838_999_999_999) == "2015-05-12T15:50:38Z")
        #expect(Moment.text(0) == "1970-01-01T00:00:00Z")
    }

    @Test func bytesAreHashedInBlocksHoweverTheyCome() {
        var empty = ContentHash()
        #expect(empty.finish() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        // From Python: sha256 of the sha256 of each block of bytes(range(256)) * 40000.
        let bytes = (0..<256 * 40_000).map { UInt8(truncatingIfNeeded: $0) }
        let expected = "5152095cf5d87f04852c77ff04c7583ab03987f51a8cb862c038adf9679ffad0"
        #expect(ContentHash.hash(ofBlocks: ContentHash.blocks(of: bytes)) == expected)
        for step in [1 << 20, 3_000_001, ContentHash.block, bytes.count] {
            var hash = ContentHash()
            var at = 0
            while at < bytes.count {
                let end = min(at + step, bytes.count)
                hash.update(bytes.span.bytes.extracting(at..<end))
                at = end
            }
            #expect(hash.finish() == expected)
        }
    }
}

/// What Dropbox says.
struct AnswerTests {
    private func refusal(_ status: Int, _ body: String) -> Refusal {
        Refusal(HTTPAnswer(head: HTTPHead(status: status, headers: [:]), body: Array(body.utf8)))
    }

    @Test(arguments: [
        (#"{".tag":"path","path":{".tag":"not_found"}}"#, BackendError.Code.notFound),
        (
            #"{".tag":"path","reason":{".tag":"conflict","conflict":{".tag":"file"}},"upload_session_id":"x"}"#,
            .alreadyExists
        ),
        (#"{".tag":"path","reason":{".tag":"conflict","conflict":"folder"}}"#, .alreadyExists),
        (#"{".tag":"path","path":{".tag":"disallowed_name"}}"#, .invalidKey),
        (#"{".tag":"path","path":{".tag":"malformed_path","malformed_path":"why"}}"#, .invalidKey),
        (#"{".tag":"too_many_write_operations"}"#, .rateLimited),
        (#"{".tag":"to","to":{".tag":"insufficient_space"}}"#, .quota),
        (#"{".tag":"path","path":{".tag":"no_write_permission"}}"#, .permission),
        (#"{".tag":"payload_too_large"}"#, .tooLarge), (#"{".tag":"something_new"}"#, .io),
        (#""other""#, .io), ("7", .io), ("{}", .io),
    ])
    func aRefusalIsToldByItsWords(_ pair: (error: String, code: BackendError.Code)) {
        let refusal = refusal(409, #"{"error_summary":"x/..","error":\#(pair.error)}"#)
        #expect(refusal.error("writing a").code == pair.code)
    }

    @Test func aRefusalNamesTheKey() {
        let ancestor = refusal(
            409,
            #"{"error":{".tag":"path","reason":{".tag":"conflict","conflict":{".tag":"file_ancestor"}}}}"#
        )
        #expect(ancestor.error("writing", key: "a/b").message == "an object stands where a folder must be: a/b")
        let absent = refusal(409, #"{"error":{".tag":"path","path":{".tag":"not_found"}}}"#)
        #expect(absent.error("reading", key: "a/b").message == "no such object: a/b")
    }

    @Test(arguments: [
        (401, #"{"error":{".tag":"invalid_access_token"}}"#, BackendError.Code.unauthenticated),
        (401, #"{"error":{".tag":"expired_access_token"}}"#, .unauthenticated),
        (401, #"{"error":{".tag":"missing_scope","required_scope":"files.content.write"}}"#, .permission),
        (422, #"{"error":{".tag":"invalid_root"}}"#, .config),
        (429, #"{"error":{"reason":{".tag":"too_many_requests"},"retry_after":1}}"#, .rateLimited),
        (429, "too many", .rateLimited), (500, "", .unavailable),
        (400, "the given OAuth 2 access token sl.secret is malformed", .unauthenticated),
        (400, "no secret", .invalidArgument),
    ])
    func callersAndLimitsAreToldByTheStatus(_ answer: (status: Int, body: String, code: BackendError.Code)) {
        let error = refusal(answer.status, answer.body).error("reading")
        #expect(error.code == answer.code)
        #expect(!error.message.contains("secret"))
    }

    @Test func aRefusalThatNestsWithoutEndEnds() {
        let deep = String(repeating: #"{"reason":"#, count: 40) + "{}" + String(repeating: "}", count: 40)
        #expect(refusal(409, #"{"error":\#(deep)}"#).words.isEmpty)
    }

    @Test func aFileIsItsRevisionSizeTimeAndHash() throws {
        let text =
            #"{".tag":"file","rev":"5f00000000001","size":7,"client_modified":"2015-05-12T15:50:38Z","content_hash":"ab"}"#
        let facts = try #require(FileFacts(try JSONValue(parsing: text)))
        #expect(facts.revision == "5f00000000001" && facts.size == 7 && facts.hash == "ab")
        #expect(facts.modified == 1_431_445_838_000_000_000)
        for other in [#"{".tag":"folder","name":"x"}"#, #"{".tag":"deleted"}"#, #"{"rev":"1","size":-1}"#, "[]"] {
            #expect(FileFacts(try JSONValue(parsing: other)) == nil)
        }
    }
}
