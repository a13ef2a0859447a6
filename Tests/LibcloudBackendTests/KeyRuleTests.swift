import CofferPluginSDK
import LibcloudStore
import Testing

/// Which keys go to a provider, and which are refused before anybody is asked.
@Suite struct KeyRuleTests {
    @Test(arguments: ["a", "a/b", "a b+%&=~üñ", "😀", " edge ", "a.b", "...", ".hidden", "%2F", "<&>"])
    func ordinaryKeysAreTakenAsTheyAre(key: String) throws {
        for family in [Family.s3, .local, .other] {
            #expect(try KeyRule(family).text(ByteString(key)).utf8.elementsEqual(key.utf8))
        }
    }

    @Test(arguments: ["/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\nb", "\u{7F}", "a\u{FFFE}"])
    func keysThatWouldChangeOnTheWayAreRefused(key: String) {
        for family in [Family.s3, .local, .other] {
            #expect(
                refusal { () throws(BackendError) in try KeyRule(family).text(ByteString(key)) }?.code == .invalidKey
            )
        }
    }

    @Test func aKeyThatIsNotUTF8IsRefused() {
        #expect(
            refusal { () throws(BackendError) in try KeyRule(.s3).text(ByteString([0x61, 0xFF])) }?.code == .invalidKey
        )
    }

    @Test(arguments: [".lock", "a/.hash/b", String(repeating: "s", count: 256)])
    func aDirectoryHoldsFewerKeysThanAStore(key: String) throws {
        #expect(refusal { () throws(BackendError) in try KeyRule(.local).text(ByteString(key)) }?.code == .invalidKey)
        _ = try KeyRule(.s3).text(ByteString(key))
    }
}

/// The error that a body throws.
func refusal<R>(_ body: () throws(BackendError) -> R) -> BackendError? {
    do throws(BackendError) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
