import CofferTransport
import S3Store
import Testing

/// The examples that Amazon publishes with its description of signature version 4.
struct SignerTests {
    private let credentials = Credentials(
        accessKey: "AKIAIOSFODNN7EXAMPLE",
        secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )
    private let time = "20130524T000000Z"
    private var signer: Signer { Signer(credentials, region: "us-east-1", at: time) }

    private func signature(
        _ method: String,
        _ target: String,
        _ headers: [(name: String, value: String)] = [],
        payload: PayloadHash = .empty
    ) -> String {
        let request = SignedRequest(
            method: method,
            host: "examplebucket.s3.amazonaws.com",
            target: target,
            headers: headers + [("x-amz-content-sha256", payload.header), ("x-amz-date", time)]
        )
        return signer.signature(of: request, payload: payload, at: time).value
    }

    @Test func aReadOfARangeIsSigned() {
        let value = signature("GET", "/test.txt", [("range", "bytes=0-9")])
        #expect(value == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func aWriteWithItsBytesIsSigned() {
        let value = signature(
            "PUT",
            "/test%24file.text",
            [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            payload: .sha256("44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        )
        #expect(value == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func aQueryWithoutAValueIsSigned() {
        let value = signature("GET", "/?lifecycle")
        #expect(value == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test(arguments: ["/?max-keys=2&prefix=J", "/?prefix=J&max-keys=2"])
    func aQueryIsSignedInOneOrder(target: String) {
        let value = signature("GET", target)
        #expect(value == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func aLinkCarriesItsSignature() {
        let request = SignedRequest(method: "GET", host: "examplebucket.s3.amazonaws.com", target: "/test.txt")
        let target = Presigner(signer, at: time).target(of: request, seconds: 86400)
        #expect(target.hasPrefix("/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F"))
        #expect(
            target.hasSuffix(
                "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
            )
        )
    }

    @Test func chunksAreSignedOneAfterTheOther() {
        let headers: [(name: String, value: String)] = [
            ("content-encoding", "aws-chunked"), ("content-length", "66824"),
            ("x-amz-content-sha256", PayloadHash.chunks.header), ("x-amz-date", time),
            ("x-amz-decoded-content-length", "66560"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ]
        let request = SignedRequest(
            method: "PUT",
            host: "s3.amazonaws.com",
            target: "/examplebucket/chunkObject.txt",
            headers: headers
        )
        let seed = signer.signature(of: request, payload: .chunks, at: time).value
        #expect(seed == "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
        var chunks = ChunkSigner(signer, at: time, seed: seed)
        let body = [UInt8](repeating: UInt8(ascii: "a"), count: 66560)
        let framed = chunks.frame(body, chunk: 65536)
        #expect(framed.count == 66824)
        #expect(ChunkSigner.framedLength(of: 66560, chunk: 65536) == 66824)
        let text = String(decoding: framed, as: UTF8.self)
        for signature in [
            "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n",
            "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n",
            "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
        ] { #expect(text.contains(signature)) }
    }

    @Test func blanksInAHeaderAreSignedAsTheStoreSeesThem() {
        let plain = signature("GET", "/", [("x-amz-meta-a", "b c")])
        #expect(signature("GET", "/", [("x-amz-meta-a", "  b   c ")]) == plain)
    }

    @Test func credentialsNeverTellTheirSecret() {
        let temporary = Credentials(accessKey: "AK", secretKey: "hush", sessionToken: "quiet")
        for text in ["\(temporary)", String(reflecting: temporary)] {
            #expect(!text.contains("hush") && !text.contains("quiet"))
        }
    }
}
