import CofferPluginSDK
import CofferXML
import Testing

@testable import WebDAVBackend

@Suite struct ResourceTests {
    private func read(_ text: String) throws -> [Resource] {
        let reader = Multistatus()
        let parser = XMLParser { event throws(XMLError) in reader.take(event) }
        try parser.feed(Array(text.utf8).span.bytes)
        try parser.finish()
        return reader.resources
    }

    @Test func filesAndFoldersAreTold() throws {
        let found = try read(
            """
            <?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:coffer:webdav">
            <d:response><d:href>http://h:80/a%20b/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/>\
            </d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
            <d:propstat><d:prop><d:getcontentlength/><d:getetag/></d:prop><d:status>HTTP/1.1 404 No</d:status></d:propstat>
            </d:response>
            <d:response><d:href>/a%20b/%C3%A9%2Fx</d:href><d:propstat><d:prop><d:resourcetype/>
            <d:getcontentlength>12</d:getcontentlength><d:getetag>W/"t"</d:getetag>
            <d:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</d:getlastmodified>
            <c:object>{"metadata":{"a":"1"}}</c:object></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
            </d:response></d:multistatus>
            """
        )
        #expect(found.count == 2 && found[0].isFolder && !found[1].isFolder)
        #expect(found[0].href == Array("/a b/".utf8) && found[1].href == Array("/a b/é/x".utf8))
        #expect(found[1].size == 12 && found[1].tag == "t" && found[1].modified == 784_111_777_000_000_000)
        #expect(try found[1].entry("k").metadata["a"] == "1")
    }

    @Test func aDocumentComesBack() throws {
        let text = try #require(Document.text(["content-type": "text/x"], ["ü": "\u{1F600}\n\""], 12))
        var entry = Entry("k")
        try Document(text).apply(to: &entry)
        #expect(entry.properties["content-type"] == "text/x" && entry.metadata["ü"] == "\u{1F600}\n\"")
        #expect(entry.modified == 12)
        #expect(Document.text([:], [:], nil) == nil)
        #expect(throws: BackendError.self) { try Document("{") }
    }
}

@Suite struct NamesTests {
    private func names(_ more: Properties = [:]) throws -> Names {
        var options: Properties = ["endpoint": "http://h/dav", "root": "my/files"]
        for pair in more { options[pair.name] = pair.value }
        return Names(try Settings(Options(options)))
    }

    @Test func keysBecomePathsByteForByte() throws {
        let path = try names().path(of: "a b/%2F?é")
        #expect(path == "/dav/my/files/a%20b/%252F%3F%C3%A9")
    }

    @Test(arguments: [
        "a//b", "/a", "a/", ".", "a/../b", "a\nb", "a\u{7F}", ".DAV/x", "x/.DAV", ".coffer/x", ".coffer",
        String(repeating: "x", count: 256),
    ])
    func whatAServerWouldMistakeIsRefused(key: String) throws {
        let names = try names()
        #expect(throws: BackendError.self) { try names.path(of: ByteString(key)) }
    }

    @Test func membersAreTheNextSegmentAlone() throws {
        let names = try names()
        let folder = Array("x/".utf8)
        func member(_ href: String) -> [UInt8]? { names.member(Array(href.utf8), of: folder) }
        #expect(member("/dav/my/files/x/a") == Array("a".utf8) && member("/dav/my/files/x/b/") == Array("b".utf8))
        #expect(
            member("/dav/my/files/x/") == nil && member("/elsewhere/a") == nil && member("/dav/my/files/x/a/b") == nil
        )
        #expect(names.member(Array("/dav/my/files/.coffer/".utf8), of: []) == nil)
    }

    @Test func wrongOptionsAreNamed() {
        let wrong: [Properties] = [
            ["endpoint": "ftp://h/"], ["endpoint": "http://h/?x"], ["endpoint": "http://u:p@h/"], ["root": "a/../b"],
            ["upload": "direct", "properties": "dead"],
        ]
        for options in wrong { #expect(throws: BackendError.self) { try names(options) } }
    }
}
