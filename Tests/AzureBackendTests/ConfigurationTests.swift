import AzureStore
import CofferPluginSDK
import CofferTransport
import Testing

/// Options are read, and what is wrong is named without its value.
struct ConfigurationTests {
    private let key = "AAECAwQFBgcICQoLDA0ODw=="

    private func configuration(_ options: Properties) throws -> Configuration {
        try Configuration(name: "box", Options(options))
    }

    @Test func anAccountTellsItsEndpoint() throws {
        let place = try configuration(["account": "mine", "key": key]).place
        #expect(place.origin.description == "https://mine.blob.core.windows.net")
        #expect(place.path("a b/ü") == "/box/a%20b/%C3%BC")
        let other = try configuration(["account": "mine", "key": key, "endpoint_suffix": "core.chinacloudapi.cn"]).place
        #expect(other.origin.host == "mine.blob.core.chinacloudapi.cn")
    }

    @Test func anEndpointTellsItsAccount() throws {
        let own = try configuration(["endpoint": "https://mine.blob.core.windows.net", "key": key]).place
        #expect(own.account == "mine" && own.containerPath == "/box")
        let emulator = try configuration(["endpoint": "http://127.0.0.1:10000/devstoreaccount1/", "key": key]).place
        #expect(emulator.account == "devstoreaccount1" && emulator.path("k") == "/devstoreaccount1/box/k")
        #expect(throws: BackendError.self) { try configuration(["endpoint": "http://127.0.0.1:10000", "key": key]) }
    }

    @Test func aConnectionStringIsTakenApart() throws {
        let text = "DefaultEndpointsProtocol=https;AccountName=mine;AccountKey=\(key);EndpointSuffix=core.windows.net"
        let made = try configuration(["connection_string": text])
        #expect(made.place.account == "mine" && made.place.origin.host == "mine.blob.core.windows.net")
        guard case .key(let bytes) = made.login else {
            Issue.record("no key")
            return
        }
        #expect(bytes.count == 16)
        let signed = try configuration([
            "connection_string": "BlobEndpoint=https://mine.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x%3D"
        ])
        guard case .signature(let query) = signed.login else {
            Issue.record("no signature")
            return
        }
        #expect(query == "sv=1&sig=x%3D" && signed.place.account == "mine")
        let emulator = try configuration(["connection_string": "UseDevelopmentStorage=true"]).place
        #expect(emulator.origin.description == "http://127.0.0.1:10000")
    }

    @Test(arguments: [
        (["key": "AAAA"], "account"), (["account": "mine"], "key"), (["account": "mine", "key": "no base64"], "key"),
        (["account": "mine", "sas_token": "sv=1"], "sas_token"),
        (["account": "mine", "key": "AAAA", "sas_token": "sig=1"], "key"),
        (["account": "mine", "tenant_id": "t", "client_id": "c"], "client_secret"),
        (["account": "Not One", "key": "AAAA"], "account"),
        (["account": "mine", "key": "AAAA", "container": "No"], "container"),
        (["account": "mine", "key": "AAAA", "endpoint": "https://x.blob.y/?sig=1"], "endpoint"),
        (["account": "mine", "key": "AAAA", "part_size": "1"], "part_size"),
        (["account": "mine", "key": "AAAA", "access_tier": "very hot"], "access_tier"),
        (["connection_string": "AccountKey=secretsecret"], "connection_string"),
        (["connection_string": "secretsecret"], "connection_string"),
    ])
    func aWrongOptionIsNamed(options: [String: String], name: String) throws {
        var properties = Properties()
        for (name, value) in options { properties[name] = value }
        let error = try #require(throws: BackendError.self) { try configuration(properties) }
        #expect(error.code == .config)
        #expect(error.message.utf8.starts(with: "option \(name) ".utf8), "\(error.message)")
        #expect(!error.message.contains("secretsecret") && !error.message.contains("no base64"))
    }
}
