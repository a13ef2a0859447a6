import AzureStore
import CofferPluginSDK
import CofferTransport
import Testing

/// What the service answers is read.
struct DocumentTests {
    @Test func aPageOfAListingIsRead() throws {
        let page = try ListingDocument(
            Array(
                """
                \u{FEFF}<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a/" \
                ContainerName="c"><Prefix>p</Prefix><Blobs><Blob><Name>p/a &amp; b</Name><Properties>\
                <Last-Modified>Wed, 09 Sep 2009 09:20:02 GMT</Last-Modified><Etag>0x8CBFF45D8A29A19</Etag>\
                <Content-Length>10</Content-Length><Content-Type>text/x</Content-Type><AccessTier>Hot</AccessTier>\
                <AccessTierInferred>true</AccessTierInferred></Properties><Metadata><Etag>mine</Etag>\
                <colour>red</colour></Metadata></Blob><BlobPrefix><Name>p/b/</Name></BlobPrefix><Blob>\
                <Name Encoded="true">p%2Fc%EF%BF%BF</Name><Properties><Etag>"0x2"</Etag></Properties></Blob></Blobs>\
                <NextMarker>2!4!abc=</NextMarker></EnumerationResults>
                """.utf8
            ),
            wantsHeads: true
        )
        #expect(page.items.map(\.key) == ["p/a & b", "p/b/", ByteString("p/c\u{FFFF}")])
        #expect(page.items.map(\.isPrefix) == [false, true, false])
        #expect(page.items[0].size == 10 && page.items[0].etag == "0x8CBFF45D8A29A19")
        #expect(page.items[0].modified == 1_252_488_002_000_000_000)
        #expect(page.items[2].etag == "0x2")
        #expect(page.next == "2!4!abc=")
        let entry = ObjectHead.entry("p", page.items[0].headers, size: 10)
        #expect(entry.metadata == ["etag": "mine", "colour": "red"])
        #expect(entry.properties == ["content-type": "text/x"])
    }

    @Test func theEndOfAListingIsSeen() throws {
        let text = "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>"
        let page = try ListingDocument(Array(text.utf8))
        #expect(page.items.isEmpty && page.next == nil)
    }

    @Test(arguments: ["", "<html/>", "<EnumerationResults>"])
    func whatIsNoListingIsRefused(text: String) {
        #expect(throws: BackendError.self) { try ListingDocument(Array(text.utf8)) }
    }

    @Test func aRefusalHasTheWordOfItsHeader() {
        func refusal(_ status: Int, _ code: String) -> BackendError {
            let head = HTTPHead(status: status, headers: ["x-ms-error-code": code])
            let answer = HTTPAnswer(head: head, body: [])
            return Refusal(answer).error(answer, "doing", key: "k")
        }
        #expect(refusal(404, "BlobNotFound").code == .notFound)
        #expect(refusal(404, "BlobNotFound").message == "no such object: k")
        #expect(refusal(404, "ContainerNotFound").message.contains("create: true"))
        #expect(refusal(403, "AuthenticationFailed").code == .unauthenticated)
        #expect(refusal(403, "AuthorizationPermissionMismatch").code == .permission)
        #expect(refusal(409, "BlobAlreadyExists").code == .alreadyExists)
        #expect(refusal(409, "ContainerBeingDeleted").isRetryable)
        #expect(refusal(503, "ServerBusy").isRetryable)
        #expect(!refusal(412, "ConditionNotMet").isRetryable)
    }

    @Test func aDigestIsOfTheWholeOrOfNothing() {
        let digest = "1B2M2Y8AsgTpgAmY7PhCfg=="
        let whole = ObjectHead.entry("k", ["Content-MD5": digest], size: 0)
        #expect(whole.checksums["md5"]?.value == "d41d8cd98f00b204e9800998ecf8427e")
        let part = ObjectHead.entry("k", ["Content-MD5": digest, "Content-Range": "bytes 0-1/9"], size: 9)
        #expect(part.checksums.isEmpty)
        let known: HTTPHeaders = ["x-ms-blob-content-md5": digest, "Content-Range": "bytes 0-1/9"]
        #expect(ObjectHead.entry("k", known, size: 9).checksums["md5"] != nil)
    }

    @Test func propertiesHaveTheirHeaders() throws {
        var headers = HTTPHeaders()
        let properties: Properties = ["content-type": "a/b", "cache-control": "", "storage-class": "Cool"]
        try ObjectHead.write(properties, ["k": "v"], to: &headers)
        #expect(headers["x-ms-blob-content-type"] == "a/b" && headers["x-ms-access-tier"] == "Cool")
        #expect(headers.count == 3)
        for wrong: Properties in [["content-disposition": "attachment; filename=\"ü\""], ["expires": "now"]] {
            #expect(throws: BackendError.self) { try ObjectHead.write(wrong, [:], to: &headers) }
        }
    }

    @Test func blocksReachTheLargestObject() throws {
        let unknown = try BlockPlan(size: nil, preferred: 8 << 20)
        #expect(unknown.size(ofBlock: 1) == 8 << 20 && unknown.size(ofBlock: 5000) == 8 << 20)
        #expect(unknown.size(ofBlock: 5001) == 16 << 20 && unknown.size(ofBlock: 50_000) == 1 << 30)
        let size: UInt64 = 1 << 40
        let known = try BlockPlan(size: size, preferred: 8 << 20)
        #expect(known.size(ofBlock: 1) * UInt64(BlockPlan.mostBlocks) >= size)
        #expect(throws: BackendError.self) { try BlockPlan(size: BlockPlan.largestObject + 1, preferred: 8 << 20) }
    }
}
