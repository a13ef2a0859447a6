import CofferPluginSDK
import Testing

@testable import WebDAVBackend

@Suite struct ReplacementsTests {
    private let call = Call(deadline: .max)

    /// What a server says of a file in the gap between two of its versions.
    @Test(arguments: [BackendError.Code.notFound, .permission])
    func whatASiblingReplacesIsLookedAtAgain(_ code: BackendError.Code) throws {
        let replacements = Replacements()
        var looks = 0
        let found = try replacements.replacing("key") { () throws(BackendError) in
            try replacements.looking("key", call) { () throws(BackendError) in
                looks += 1
                guard looks > 2 else { throw BackendError(code, "in the gap") }
                return "the new version"
            }
        }
        #expect(found == "the new version")
    }

    @Test(arguments: [BackendError.Code.notFound, .permission])
    func whatNobodyReplacesIsBelieved(_ code: BackendError.Code) throws {
        let replacements = Replacements()
        var looks = 0
        #expect(throws: BackendError.self) {
            try replacements.looking("key", call) { () throws(BackendError) in
                looks += 1
                throw BackendError(code, "as it is")
            }
        }
        #expect(looks == 1)
    }
}
