// Tokens are not given out twice within seconds.

import Testing

@testable import FTPBackend

@Suite("Recent tokens")
struct RecentTests {
    @Test("A token is taken once in a while")
    func recent() {
        let recent = Recent()
        let path = Array("/a".utf8)
        #expect(recent.take(1, for: path, ahead: 0))
        #expect(recent.take(2, for: path, ahead: 0))
        #expect(!recent.take(1, for: path, ahead: 0))
        #expect(recent.take(1, for: Array("/b".utf8), ahead: 0))
    }
}
