// Key files are judged, and assertions are what token services expect.

import CofferCrypto
import CofferJSON
import CofferPluginSDK
import CofferTransport
import GCSStore
import Testing

@Suite struct CredentialTests {
    private func document(_ change: (inout JSONObject) -> Void) -> [UInt8] {
        var object = JSONObject()
        object["type"] = "service_account"
        object["project_id"] = "project"
        object["private_key_id"] = "key-1"
        object["private_key"] = .string(testKey)
        object["client_email"] = "me@project.iam.gserviceaccount.com"
        object["token_uri"] = "http://127.0.0.1:1/token"
        change(&object)
        return JSONValue.object(object).bytes()
    }

    private func reason(_ bytes: [UInt8]) -> String? {
        do throws(CredentialsError) {
            _ = try CredentialsDocument.read(bytes)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func aKeyOfAServiceAccountIsRead() throws {
        guard case .account(let account) = try CredentialsDocument.read(document { _ in }) else {
            Issue.record("no service account")
            return
        }
        #expect(account.email == "me@project.iam.gserviceaccount.com")
        #expect(account.keyID == "key-1")
        #expect(account.project == "project")
        #expect(account.tokenLocation.description == "http://127.0.0.1:1/token")
    }

    @Test func withoutATokenServiceItIsGoogles() throws {
        guard case .account(let account) = try CredentialsDocument.read(document { $0["token_uri"] = nil }) else {
            Issue.record("no service account")
            return
        }
        #expect(account.tokenURI == "https://oauth2.googleapis.com/token")
    }

    @Test func whatIsWrongWithAKeyIsSaidWithoutShowingIt() {
        #expect(reason(Array("{".utf8)) == "is no JSON")
        #expect(reason(Array("[]".utf8)) == "says no type")
        #expect(reason(document { $0["client_email"] = nil }) == "lacks client_email")
        #expect(reason(document { $0["private_key"] = "secret" }) == "holds no usable RSA key as its private_key")
        #expect(reason(document { $0["token_uri"] = "ftp://x" }) == "names no URL as its token_uri")
        #expect(reason(document { $0["type"] = "external_account" })?.hasPrefix("is of a type") == true)
    }

    @Test func anAssertionSaysWhoAsksForWhatAndForHowLong() throws {
        guard case .account(let account) = try CredentialsDocument.read(document { _ in }) else {
            Issue.record("no service account")
            return
        }
        let text = try #require(Assertion.text(for: account, scope: "a b", now: 1_700_000_000))
        let parts = text.split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        let head = Assertion.base64URL(Array(#"{"alg":"RS256","typ":"JWT","kid":"key-1"}"#.utf8))
        #expect(parts[0] == head)
        let claims =
            #"{"iss":"me@project.iam.gserviceaccount.com","scope":"a b","aud":"http://127.0.0.1:1/token","#
            + #""iat":1700000000,"exp":1700003600}"#
        #expect(parts[1] == Assertion.base64URL(Array(claims.utf8)))
        let signature = try #require(account.signer.signature(of: Array("\(parts[0]).\(parts[1])".utf8)))
        #expect(parts[2] == Assertion.base64URL(signature))
    }

    @Test func base64ForURLsHasNeitherPlusNorSlashNorPadding() {
        #expect(Assertion.base64URL([0xFB, 0xFF, 0xFE, 0x01]) == "-__-AQ")
        #expect(Assertion.base64URL([]) == "")
    }

    @Test func tokensAreRead() {
        let token = AccessToken.read(
            Array(#"{"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"}"#.utf8)
        )
        #expect(token?.text == "ya29.x")
        #expect(token?.seconds == 3599)
        for text in ["", "{}", #"{"access_token": ""}"#, #"{"access_token": "a\nb"}"#] {
            #expect(AccessToken.read(Array(text.utf8)) == nil)
        }
    }
}
