import CofferJSON
import CofferPluginSDK
import LibcloudStore
import Testing

/// What goes over the socket.
@Suite struct FrameTests {
    @Test func lengthsComeBackAsTheyWere() {
        for lengths in [
            FrameLengths(head: 1, body: 0), FrameLengths(head: 0, body: 1 << 20), FrameLengths(head: 70_000, body: 0),
        ] {
            #expect(FrameLengths(lengths.bytes) == lengths)
        }
        #expect(FrameLengths(head: 0x0102, body: 0).bytes == [0, 0, 1, 2, 0, 0, 0, 0])
    }

    @Test(
        arguments: [
            [], [0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 1], [0xFF, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0xFF, 0, 0, 0],
        ] as [[UInt8]]
    )
    func lengthsThatNobodySendsAreRefused(bytes: [UInt8]) {
        #expect(FrameLengths(bytes) == nil)
    }

    @Test func anAnswerTellsOfAnObject() throws {
        let head = try #require(
            JSONValue(
                parsing: """
                    {"size": 7, "etag": "tag", "mtime": 1000, "type": "text/plain",
                     "meta": {"colour": "blue", "coffer-sha256": "\(String(repeating: "a", count: 64))"}, "end": true}
                    """
            ).objectValue
        )
        let entry = Answer(head).entry("k")
        #expect(entry.size == 7 && entry.modified == 1000 && entry.etag == "tag")
        #expect(entry.properties["content-type"] == "text/plain")
        #expect(entry.metadata == ["colour": "blue"])
        #expect(entry.checksums["sha256"]?.value.utf8.count == 64)
        #expect(Answer(head).isLast)
    }

    @Test func anErrorKeepsItsCodeAndFlags() throws {
        let head = try #require(
            JSONValue(
                parsing:
                    #"{"error": "rate_limited", "message": "slow down", "retryable": true, "maybe": false, "wait": 3000}"#
            ).objectValue
        )
        let error = refusal { () throws(BackendError) in try Answer(head).check() }
        #expect(error == BackendError(.rateLimited, "slow down", isRetryable: true, retryAfterMilliseconds: 3000))
    }

    @Test func aWordThatNobodyKnowsIsAnErrorOfTheStore() throws {
        let head = try #require(JSONValue(parsing: #"{"error": "surprise", "message": "?"}"#).objectValue)
        #expect(refusal { () throws(BackendError) in try Answer(head).check() }?.code == .io)
    }
}
