import AzureStore
import CofferPluginSDK
import Testing

/// Every key has one name, every name one key, and both are in one order.
struct NameTests {
    @Test(arguments: [
        ("plain", "plain"), ("a b", "a b"), ("a.b", "a.b"), ("a\\b", "a[\u{10FFFD}b"), ("a.", "a. "), ("a. ", "a.  "),
        ("a ", "a "), ("a./b", "a..\u{10FFFD}/b"), ("..", ".. "), ("a/../b", "a/...\u{10FFFD}/b"), ("a//b", "a//b"),
        ("a. /b", "a. /b"), ("\\.", "[\u{10FFFD}. "), (".\\/", ".[\u{10FFFD}/"),
    ])
    func aKeyHasAName(key: String, name: String) throws {
        let made = try BlobName.name(of: ByteString(key))
        #expect(Array(made.utf8) == Array(name.utf8))
        #expect(BlobName.key(of: ByteString(name)) == ByteString(key))
        let isKept = made.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { $0.utf8.last != 0x2E }
        #expect(isKept && !made.utf8.contains(UInt8(ascii: "\\")))
    }

    @Test func namesAreInTheOrderOfTheirKeys() throws {
        let pieces = [" ", "!", "-", ".", "/", "0", "[", "\\", "]", "a", "\u{FF0E}", "\u{1F600}"]
        var keys: [String] = []
        for first in pieces {
            for second in pieces {
                for third in pieces { keys += ["k\(first)\(second)\(third)", "k\(first)\(second)", "k\(third)"] }
            }
        }
        let sorted = Set(keys).map { ByteString($0) }.sorted()
        let names = try sorted.map { ByteString(try BlobName.name(of: $0)) }
        for (name, next) in zip(names, names.dropFirst()) { #expect(name < next) }
        for (key, name) in zip(sorted, names) { #expect(BlobName.key(of: name) == key) }
    }

    @Test func whatBeginsWithAPrefixHasANameThatDoes() throws {
        for key in ["a\\b./c.", "a./b", "x.y. ", "..\\..", "a."] {
            for count in 1...key.utf8.count {
                let prefix = BlobName.prefix(of: String(decoding: key.utf8.prefix(count), as: UTF8.self))
                let name = try BlobName.name(of: ByteString(key))
                #expect(name.utf8.starts(with: prefix.utf8), "\(key) \(count)")
            }
        }
    }

    @Test(arguments: ["a\u{1}", "\u{7F}", "\u{85}", "x\u{10FFFD}", String(repeating: "a/", count: 300) + "a"])
    func whatNoNameCanHoldIsRefused(key: String) {
        #expect(throws: BackendError.self) { try BlobName.name(of: ByteString(key)) }
    }

    @Test func aNameThatIsTooLongIsRefused() throws {
        let longest = String(repeating: "k", count: 1024)
        #expect(try BlobName.name(of: ByteString(longest)) == longest)
        #expect(throws: BackendError.self) {
            try BlobName.name(of: ByteString(String(repeating: "k", count: 1023) + "."))
        }
    }

    @Test func namesOfContainersAreTheServices() {
        for name in ["box", "a1-b2", "$root", "$web", String(repeating: "a", count: 63)] {
            #expect(BlobName.isContainer(name))
        }
        for name in ["", "ab", "Box", "a--b", "-ab", "ab-", "a_b", "a/b", "..", String(repeating: "a", count: 64)] {
            #expect(!BlobName.isContainer(name))
        }
    }
}
