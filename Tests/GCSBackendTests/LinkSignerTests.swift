// Signed URLs, written down by hand as Google's page on canonical requests says.

import GCSStore
import Testing

@Suite struct LinkSignerTests {
    private let signer: LinkSigner = {
        var signer = LinkSigner(
            method: "GET",
            path: "/bucket/cat%20pics/%C3%A9.jpeg",
            headers: [
                (name: "host", value: "storage.googleapis.com"), (name: "content-type", value: " text/plain;   a=b "),
            ],
            email: "me@project.iam.gserviceaccount.com",
            time: "20240506T070809Z",
            seconds: 3600
        )
        signer.query = [(name: "response-content-type", value: "a/b c")]
        return signer
    }()

    @Test func aRequestIsWrittenDownInOneWay() {
        #expect(
            signer.canonicalRequest == """
                GET
                /bucket/cat%20pics/%C3%A9.jpeg
                X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=me%40project.iam.gserviceaccount.com%2F20240506\
                %2Fauto%2Fstorage%2Fgoog4_request&X-Goog-Date=20240506T070809Z&X-Goog-Expires=3600\
                &X-Goog-SignedHeaders=content-type%3Bhost&response-content-type=a%2Fb%20c
                content-type:text/plain; a=b
                host:storage.googleapis.com

                content-type;host
                UNSIGNED-PAYLOAD
                """
        )
    }

    @Test func whatIsSignedNamesTheScope() {
        let lines = signer.stringToSign.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0] == "GOOG4-RSA-SHA256")
        #expect(lines[1] == "20240506T070809Z")
        #expect(lines[2] == "20240506/auto/storage/goog4_request")
        #expect(lines[3].utf8.count == 64)
    }

    @Test func theSignatureStandsLastInHexadecimal() {
        #expect(signer.target(signature: [0x0A, 0xFF]).hasSuffix("&X-Goog-Signature=0aff"))
        #expect(signer.target(signature: []).hasPrefix("/bucket/cat%20pics/%C3%A9.jpeg?X-Goog-Algorithm="))
    }
}
