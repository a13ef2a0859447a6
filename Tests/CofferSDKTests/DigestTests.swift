// Digests against the answers that their definitions print, however the bytes are cut.
import CofferCrypto
import Testing

private let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
private let pattern = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 131 >> 3) }

@Suite struct DigestTests {
    @Test(arguments: [
        (Digest.Algorithm.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            .sha512, "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.crc32c, "123456789", "e3069283"),
        (.crc32c, "", "00000000"),
    ])
    func aKnownTextHasItsKnownDigest(algorithm: Digest.Algorithm, text: String, expected: String) {
        #expect(hex(Digest.of(Array(text.utf8), algorithm)) == expected)
    }

    @Test func aMillionLettersHaveTheirKnownDigest() {
        #expect(
            hex(Digest.of(million)) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
    }

    @Test(arguments: Digest.Algorithm.allCases, [1, 7, 1024, 3072, 3073, 65_536])
    func theDigestDoesNotDependOnHowTheBytesAreCut(algorithm: Digest.Algorithm, step: Int) {
        let bytes = Array(pattern.prefix(step == 1 ? 5000 : pattern.count))
        let digest = Digest(algorithm)
        var position = 0
        while position < bytes.count {
            let end = min(position + step, bytes.count)
            digest.update(Array(bytes[position..<end]).span.bytes)
            position = end
        }
        #expect(digest.finish() == Digest.of(bytes, algorithm))
        #expect(digest.finishHex() == hex(Digest.of(bytes, algorithm)), "a second end gives the same")
    }

    @Test(arguments: [0, 1, 7, 8, 1023, 3071, 3072, 3080, 6144, 9999])
    func aChecksumIsWhatItsDefinitionSays(count: Int) {
        var register: UInt32 = 0xFFFF_FFFF
        for byte in pattern.prefix(count) {
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0x82F6_3B78 : register >> 1 }
        }
        let digest = Digest.of(Array(pattern.prefix(count)), .crc32c)
        #expect(digest.reduce(0) { $0 << 8 | UInt32($1) } == ~register)
    }

    @Test func hmacGivesTheAnswersOfItsStandard() {
        let key = [UInt8](repeating: 0x0B, count: 20)
        #expect(
            hex(hmacSHA256(Array("Hi There".utf8), key: key))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        )
        #expect(
            hex(hmacSHA256([], key: []))
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        )
    }

    @Test func hexadecimalReadsWhatItWrites() {
        #expect(bytes(hex: hex([0, 15, 16, 255])) == [0, 15, 16, 255])
        #expect(bytes(hex: "0G") == nil)
        #expect(bytes(hex: "abc") == nil)
        #expect(isEqualInConstantTime([1, 2], [1, 2]))
        #expect(!isEqualInConstantTime([1, 2], [1, 3]))
    }
}
