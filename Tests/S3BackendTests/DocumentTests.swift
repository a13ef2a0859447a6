import CofferPluginSDK
import CofferTransport
import S3Store
import Testing

/// The documents of stores are read as they come, whoever wrote them.
struct DocumentTests {
    private let page = """
        <?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
        <Name>b</Name><Prefix>p%2F</Prefix><KeyCount>3</KeyCount><EncodingType>url</EncodingType>
        <IsTruncated>true</IsTruncated><NextContinuationToken>to+k/en=</NextContinuationToken>
        <Contents><Key>p%2Fz%0D+%2B</Key><LastModified>2026-11-21T14:56:28.529Z</LastModified>
        <ETag>&quot;aed5&quot;</ETag><Size>100</Size><Owner><ID>x</ID></Owner></Contents>
        <CommonPrefixes><Prefix>p%2Fa%2F</Prefix></CommonPrefixes></ListBucketResult>
        """

    @Test func aPageOfAListingIsRead() throws {
        let document = try ListingDocument(Array(page.utf8))
        #expect(document.next == "to+k/en=")
        #expect(document.items.map(\.key) == ["p/a/", "p/z\r +"])
        #expect(document.items.map(\.isPrefix) == [true, false])
        #expect(document.items[1].size == 100)
        #expect(document.items[1].etag == "aed5")
        #expect(document.items[1].modified == 1_795_272_988_000_000_000)
    }

    @Test func keysAreUnescapedAlsoWhereThatIsSaidBehindThem() throws {
        let text = page.replacing("<EncodingType>url</EncodingType>", with: "")
            .replacing("</ListBucketResult>", with: "<EncodingType>url</EncodingType></ListBucketResult>")
        #expect(try ListingDocument(Array(text.utf8)).items.map(\.key) == ["p/a/", "p/z\r +"])
    }

    @Test(arguments: ["", "<Error><Code>x</Code></Error>", "<ListBucketResult>", "no document"])
    func whatIsNoListingIsRefused(text: String) {
        #expect(throws: BackendError.self) { try ListingDocument(Array(text.utf8)) }
    }

    @Test func keysThatXMLCannotHoldAreNoPartOfABatch() {
        #expect(Question.delete(["a", "b\u{1}"]) == nil)
        #expect(Question.delete(["a\r"]) == nil)
        let body = Question.delete(["<&>\"'é"]).map { String(decoding: $0, as: UTF8.self) } ?? ""
        #expect(body.contains("<Key>&lt;&amp;&gt;&quot;&apos;é</Key>"))
    }

    @Test func resultsOfABatchAreRead() {
        let text = """
            <DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>
            """
        let failures = Answer.failedRemovals(Array(text.utf8))
        #expect(failures?.map(\.key) == ["b"])
        #expect(failures?.map(\.code) == ["AccessDenied"])
        #expect(Answer.failedRemovals(Array("<Error/>".utf8)) == nil)
    }

    @Test func anErrorInsideASuccessIsSeen() {
        func answer(_ status: Int, _ body: String) -> HTTPAnswer {
            HTTPAnswer(head: HTTPHead(status: status, headers: [:]), body: Array(body.utf8))
        }
        let late = hiddenError(answer(200, "<Error><Code>InternalError</Code></Error>"))
        #expect(late?.code == .unavailable)
        #expect(late?.isRetryable == true)
        #expect(hiddenError(answer(200, "<Error><Code>AccessDenied</Code></Error>"))?.code == .permission)
        #expect(hiddenError(answer(200, "<CompleteMultipartUploadResult/>")) == nil)
        #expect(hiddenError(answer(500, "<Error><Code>InternalError</Code></Error>")) == nil)
    }

    @Test(
        arguments: [
            (404, "NoSuchKey", BackendError.Code.notFound), (404, "NoSuchBucket", .notFound),
            (403, "AccessDenied", .permission), (403, "SignatureDoesNotMatch", .unauthenticated),
            (403, "InvalidAccessKeyId", .unauthenticated), (400, "ExpiredToken", .unauthenticated),
            (503, "SlowDown", .rateLimited), (412, "PreconditionFailed", .precondition),
            (400, "EntityTooLarge", .tooLarge),
            (409, "BucketNotEmpty", .notEmpty), (301, "PermanentRedirect", .config),
            (400, "KeyTooLongError", .invalidKey),
            (501, "NotImplemented", .unsupported), (403, "QuotaExceeded", .quota),
        ]
    )
    func codesOfTheStoreHaveTheirMeaning(status: Int, code: String, meaning: BackendError.Code) {
        let body = "<Error><Code>\(code)</Code><Message>hush</Message><Region>eu-west-2</Region></Error>"
        let answer = HTTPAnswer(head: HTTPHead(status: status, headers: [:]), body: Array(body.utf8))
        let error = Refusal(answer).error(answer, "reading k", key: "k")
        #expect(error.code == meaning)
        #expect(error.isRetryable == (code == "SlowDown"))
        #expect(!error.message.contains("hush"))
        if meaning == .config { #expect(error.message.contains("eu-west-2")) }
    }

    @Test func partsAndUploadsAreRead() {
        let parts = """
            <ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>
            <Part><PartNumber>2</PartNumber><ETag>"ab"</ETag><Size>7</Size></Part></ListPartsResult>
            """
        let page = Answer.parts(Array(parts.utf8))
        #expect(page?.parts.map(\.number) == [2])
        #expect(page?.parts.map(\.etag) == ["ab"])
        #expect(page?.next == "2")
        let uploads = """
            <ListMultipartUploadsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Upload><Key>a%2Fb</Key>
            <UploadId>2~x</UploadId><Initiated>2026-11-21T14:56:28.529Z</Initiated></Upload></ListMultipartUploadsResult>
            """
        let pending = Answer.uploads(Array(uploads.utf8))
        #expect(pending?.uploads.map(\.key) == ["a/b"])
        #expect(pending?.uploads.map(\.id) == ["2~x"])
        #expect(pending?.next == nil)
    }
}
