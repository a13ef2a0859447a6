import CofferMetadata
import CofferPluginSDK
import CofferTransport
import S3Store
import Testing

/// User metadata survive headers.
struct MetadataTests {
    private func round(_ metadata: Properties, _ code: MetadataCode) throws -> (HTTPHeaders, Properties) {
        var headers = HTTPHeaders()
        try code.write(metadata, to: &headers)
        return (headers, code.read(headers))
    }

    @Test func whatAHeaderCanHoldStandsThereAsItIs() throws {
        let (headers, back) = try round(["colour": "dark blue", "under_score": "1"], MetadataCode())
        #expect(headers["x-amz-meta-colour"] == "dark blue")
        #expect(headers["x-amz-meta-under_score"] == "1")
        #expect(headers.count == 2)
        #expect(back == ["colour": "dark blue", "under_score": "1"])
    }

    @Test(arguments: [
        "", "é 😀", " x ", "a  b", "=?UTF-8?B?w6k=?=", "line\nbreak", "\u{7F}", String(repeating: "v", count: 2000),
    ])
    func everyValueComesBack(value: String) throws {
        for code in [MetadataCode(), MetadataCode(keepsUnderscores: false, valueLimit: 64)] {
            let (headers, back) = try round(["name": value, "other": "x"], code)
            #expect(back["name"].map { Array($0.utf8) } == Array(value.utf8))
            #expect(back.count == 2)
            for field in headers {
                #expect(field.value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
                #expect(field.value.utf8.first != 0x20 && field.value.utf8.last != 0x20)
                #expect(code.valueLimit == 0 || field.value.utf8.count <= code.valueLimit)
            }
        }
    }

    @Test func namesThatAHeaderCannotHaveComeBack() throws {
        let names = ["with_underscore", "with-underscore", "Größe", "a b", "UPPER", "coffer-sha256", "x", "x "]
        var metadata = Properties()
        for name in names { metadata[name] = "of \(name)" }
        let (headers, back) = try round(metadata, MetadataCode(keepsUnderscores: false))
        #expect(back.count == names.count)
        for name in names { #expect(back[name] == "of \(name)") }
        #expect(MetadataCode.own("sha256", in: headers) == nil)
    }

    @Test func anEmptyNameIsRefused() {
        var headers = HTTPHeaders()
        #expect(throws: BackendError.self) { try MetadataCode().write(["": "x"], to: &headers) }
    }

    @Test func ourOwnValuesAreNotShown() {
        var headers: HTTPHeaders = ["x-amz-meta-colour": "red"]
        MetadataCode.addOwn("sha256", "00", to: &headers)
        #expect(MetadataCode().read(headers) == ["colour": "red"])
        #expect(MetadataCode.own("sha256", in: headers) == "00")
    }

    @Test(
        arguments: [
            ("=?UTF-8?Q?caf=C3=A9_au_lait?=", "café au lait"), ("=?utf-8?b?w6k=?=", "é"),
            ("=?UTF-8?B?w6k=?= =?UTF-8?B?w6k=?=", "éé"), ("=?KOI8-R?B?w6k=?=", "=?KOI8-R?B?w6k=?="), ("plain", "plain"),
            ("=?UTF-8?B?%%%?=", "=?UTF-8?B?%%%?="),
        ]
    )
    func encodedWordsOfOthersAreRead(word: String, value: String) {
        #expect(Array(MetadataCode.decoded(word).utf8) == Array(value.utf8))
    }

    @Test func theFramingOfASignedBodyIsNoEncoding() {
        let heads = ObjectHead(metadata: MetadataCode())
        for (stored, shown) in [("aws-chunked", nil), ("aws-chunked,gzip", "gzip"), ("gzip, aws-chunked", "gzip")] {
            let entry = heads.entry("k", ["content-encoding": stored], size: 0)
            #expect(entry.properties["content-encoding"] == shown)
        }
    }
}
