import CofferCrypto
import CofferMetadata
import CofferPluginSDK
import CofferTransport
import OpenStackStore
import Testing

/// What stands in headers and documents.
struct WireTests {
    private func round(_ metadata: Properties) throws -> (HTTPHeaders, Properties) {
        let headers = try ObjectHead.headers(Properties(), metadata)
        return (headers, ObjectHead.entry("k", headers, size: 0).metadata)
    }

    @Test func whatOtherProgramsCanReadStandsAsItIs() throws {
        let (headers, back) = try round(["colour": "dark blue", "place": "Köln"])
        #expect(headers["X-Object-Meta-Colour"] == "dark blue")
        #expect(headers["X-Object-Meta-Place"] == "Köln")
        #expect(back == ["colour": "dark blue", "place": "Köln"])
    }

    @Test(arguments: [
        "", " x ", "a  b", "=?UTF-8?B?w6k=?=", "a\u{85}b", "x\u{a0}", "à", "Å", "tab\tin", "e\u{301}", "日本語",
        String(repeating: "v", count: 700), String(repeating: "日", count: 300), "😀\n",
    ])
    func everyValueSurvives(value: String) throws {
        let (headers, back) = try round(["name": value])
        #expect(back["name"].map { Array($0.utf8) } == Array(value.utf8))
        for field in headers {
            #expect(field.value.utf8.count <= 256)
            #expect(field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x85 })
            #expect(field.value.utf8.first != 0x20 && field.value.utf8.last != 0x20 && field.value.utf8.last != 0xA0)
        }
    }

    @Test func namesThatHeadersFoldSurvive() throws {
        let metadata: Properties = ["under_score": "1", "under-score": "2", "ü": "3", "coffer-mine": "4"]
        let (headers, back) = try round(metadata)
        for (name, value) in metadata { #expect(back[name] == value) }
        #expect(headers.allSatisfy { $0.name.utf8.allSatisfy { $0 != UInt8(ascii: "_") } })
    }

    @Test func ourOwnValuesAreNeverShown() throws {
        var headers = try ObjectHead.headers(Properties(), ["colour": "red"])
        ObjectHead.addOwn("segments", "id", to: &headers)
        ObjectHead.write([Checksum(algorithm: "sha256", value: "00")], to: &headers)
        headers.add("X-Object-Meta-Static-Large-Object", "True")
        let entry = ObjectHead.entry("k", headers, size: 0)
        #expect(entry.metadata == ["colour": "red"])
        #expect(entry.checksums["sha256"]?.value == "00")
        #expect(ObjectHead.own("segments", in: headers) == "id")
    }

    @Test func moreThanTheStoreTakesIsRefusedBefore() throws {
        var many = Properties()
        for index in 0..<91 { many["n\(index)"] = "v" }
        for metadata in [many, ["large": String(repeating: "é", count: 2100)]] {
            let headers = try ObjectHead.headers(Properties(), metadata)
            let error = #expect(throws: BackendError.self) { try ObjectHead.check(headers, "k") }
            #expect(error?.code == .invalidArgument)
        }
        try ObjectHead.check(try ObjectHead.headers(Properties(), ["large": String(repeating: "v", count: 3072)]), "k")
    }

    @Test func listingsAreReadAsBothStoresWriteThem() throws {
        let page = try ListingDocument(
            Array(
                """
                [{"subdir":"a/"},
                 {"bytes":3,"hash":"900150983cd24fb0d6963f7d28e17f72","name":"b",
                  "last_modified":"2026-11-21T18:22:58.249440"},
                 {"bytes":9,"hash":"c0","name":"c","slo_etag":"\\"66\\"","last_modified":"2026-11-21T18:22:58.000000"},
                 {"bytes":196,"hash":"d41d8cd98f00b204e9800998ecf8427e","name":"d",
                  "last_modified":"2026-11-21T18:23:16.394Z"}]
                """.utf8
            )
        ).items
        #expect(page.map(\.key) == ["a/", "b", "c", "d"])
        #expect(page.map(\.isPrefix) == [true, false, false, false])
        #expect(page.map(\.isManifest) == [false, false, false, true])
        #expect(page[2].etag == "66")
        // Swift rounds the time of a head up, radosgw down.
        #expect(page[1].modified == HTTPDate.parseISO8601("2026-11-21T18:22:59Z"))
        #expect(page[2].modified == HTTPDate.parseISO8601("2026-11-21T18:22:58Z"))
        #expect(page[3].modified == HTTPDate.parseISO8601("2026-11-21T18:23:16Z"))
    }

    @Test(arguments: ["{", "[{}]", "[{\"bytes\":1}]"])
    func whatIsNoListingIsAnError(text: String) {
        #expect(throws: BackendError.self) { try ListingDocument(Array(text.utf8)) }
    }

    @Test func linksAreSignedWithAnyDigest() {
        // RFC 2202, test 2 and test 6; RFC 4231, test 2.
        let message = Array("what do ya want for nothing?".utf8)
        #expect(
            hex(hmacOf(message, key: Array("Jefe".utf8), .sha1, block: 64))
                == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        )
        let long = [UInt8](repeating: 0xAA, count: 80)
        let hashed = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        #expect(hex(hmacOf(hashed, key: long, .sha1, block: 64)) == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
        #expect(
            hex(hmacOf(message, key: Array("Jefe".utf8), .sha512, block: 128))
                == "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        )
        #expect(
            hmacOf(message, key: Array("Jefe".utf8), .sha256, block: 64) == hmacSHA256(message, key: Array("Jefe".utf8))
        )
    }

    @Test func namesOfContainersAreChecked() {
        for name in ["a", "Ä b", String(repeating: "x", count: 256)] { #expect(Configuration.isContainer(name)) }
        for name in ["", ".", "..", "a/b", "a\nb", String(repeating: "x", count: 257)] {
            #expect(!Configuration.isContainer(name))
        }
    }
}
