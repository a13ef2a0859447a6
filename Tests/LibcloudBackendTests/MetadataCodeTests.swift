import CofferPluginSDK
import LibcloudStore
import Testing

/// User metadata in header fields.
@Suite struct MetadataCodeTests {
    @Test func whateverIsWrittenIsReadBack() throws {
        let metadata: Properties = [
            "colour": "dark blue", "under_score": "1", "UPPER": "2", "ü": "3", "empty": "", "unicode": "é 😀",
            "edges": " x ", "two": "a  b", "word": "=?UTF-8?B?w6k=?=", "coffer-own": "4", "a,b=c": "5",
        ]
        let fields = try MetadataCode.encoded(metadata, Checksums())
        for field in fields {
            #expect(field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x5F && $0 != 0x3A })
            #expect(field.value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        }
        let (read, checksums) = MetadataCode.decoded(fields.map { ($0.name, $0.value) })
        #expect(
            Dictionary(uniqueKeysWithValues: read.map { ($0.name, $0.value) })
                == Dictionary(uniqueKeysWithValues: metadata.map { ($0.name, $0.value) })
        )
        #expect(checksums.isEmpty)
    }

    @Test func plainMetadataStandAsTheyAre() throws {
        let fields = try MetadataCode.encoded(["colour": "dark blue"], Checksums())
        #expect(fields.map(\.name) == ["colour"] && fields.map(\.value) == ["dark blue"])
    }

    @Test func namesThatBecomeAlikeStayApart() throws {
        let fields = try MetadataCode.encoded(["a_b": "1", "a-b": "2", "a+b": "3"], Checksums())
        #expect(Set(fields.map(\.name)).count == fields.count)
        let (read, _) = MetadataCode.decoded(fields.map { ($0.name, $0.value) })
        #expect(read["a_b"] == "1" && read["a-b"] == "2" && read["a+b"] == "3")
    }

    @Test func theDigestOfTheHostGoesAlong() throws {
        let sum = Checksum(algorithm: "sha256", value: String(repeating: "0f", count: 32))
        let fields = try MetadataCode.encoded([:], [sum, Checksum(algorithm: "md5", value: "00")])
        #expect(fields.map(\.name) == ["coffer-sha256"])
        #expect(Array(MetadataCode.decoded(fields.map { ($0.name, $0.value) }).1) == [sum])
    }

    @Test func whatIsNoDigestIsNone() {
        let (read, checksums) = MetadataCode.decoded([("coffer-sha256", "nonsense"), ("Coffer-Other", "x")])
        #expect(read.isEmpty && checksums.isEmpty)
    }
}
