import AzureStore
import CofferPluginSDK
import CofferTransport
import Testing

/// User metadata survive headers whose names are identifiers.
struct MetadataTests {
    private func round(_ metadata: Properties) throws -> (HTTPHeaders, Properties) {
        var headers = HTTPHeaders()
        try MetadataCode.write(metadata, to: &headers)
        return (headers, MetadataCode.read(headers))
    }

    @Test func anIdentifierStandsThereAsItIs() throws {
        let (headers, back) = try round(["colour": "dark blue", "under_score9": "1"])
        #expect(headers["x-ms-meta-colour"] == "dark blue")
        #expect(headers["x-ms-meta-under_score9"] == "1")
        #expect(headers.count == 2)
        #expect(back == ["colour": "dark blue", "under_score9": "1"])
    }

    @Test(arguments: [
        "", "é 😀", " x ", "a  b", "=?UTF-8?B?w6k=?=", "line\nbreak", "\u{7F}", String(repeating: "v", count: 2000),
    ])
    func everyValueComesBack(value: String) throws {
        let (headers, back) = try round(["name": value, "other": "x"])
        #expect(back["name"].map { Array($0.utf8) } == Array(value.utf8))
        #expect(back.count == 2)
        for field in headers {
            #expect(!field.value.isEmpty && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
            #expect(field.value.utf8.first != 0x20 && field.value.utf8.last != 0x20)
        }
    }

    @Test func everyNameComesBack() throws {
        let names = [
            "with_underscore", "with-underscore", "with.underscore", "Größe", "a b", "9lives", "coffer_sha256", "x",
            "x ",
            "a,b=c", "%41",
        ]
        var metadata = Properties()
        for name in names { metadata[name] = "of \(name)" }
        let (headers, back) = try round(metadata)
        #expect(back.count == names.count)
        for name in names { #expect(back[name] == "of \(name)") }
        #expect(MetadataCode.own("sha256", in: headers) == nil)
        for field in headers {
            let name = field.name.dropFirst("x-ms-meta-".count)
            let isIdentifier = name.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
            }
            #expect(isIdentifier && !(name.first?.isNumber ?? true), "\(name)")
        }
    }

    @Test func whatIsEmptyOrTooLargeIsRefused() {
        #expect(throws: BackendError.self) { try round(["": "x"]) }
        #expect(throws: BackendError.self) { try round(["a": String(repeating: "x", count: 8192)]) }
    }

    @Test func ourOwnValuesAreNotShown() {
        var headers: HTTPHeaders = ["X-Ms-Meta-Colour": "red"]
        MetadataCode.addOwn("sha256", "00", to: &headers)
        #expect(MetadataCode.read(headers) == ["colour": "red"])
        #expect(MetadataCode.own("sha256", in: headers) == "00")
    }
}
