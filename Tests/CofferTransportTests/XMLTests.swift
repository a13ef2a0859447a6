import CofferXML
import Testing

@Suite struct XMLTests {
    @Test func aTreeHoldsNamesTextAndAttributes() throws {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <D:multistatus xmlns:D="DAV:"><D:response a="1" b='&lt;2'>
            <D:href>/a%20b</D:href><name xmlns="">caf\u{e9} &amp; <![CDATA[<tea>]]></name></D:response></D:multistatus>
            """
        let root = try XMLParser.parse(Array(text.utf8))
        #expect(root.name == "multistatus" && root.namespace == "DAV:")
        let response = try #require(root["response"])
        #expect(response.attribute("b") == "<2" && response.attribute("c") == nil)
        #expect(response["href"]?.text == "/a%20b" && response["name"]?.namespace == "")
        #expect(response["name"]?.text == "caf\u{e9} & <tea>")
    }

    @Test func cutAnywhereADocumentGivesTheSameEvents() throws {
        let bytes = Array("<a><b>one &#x74;wo</b><b/>tail</a>".utf8)
        func events(_ cut: Int) throws -> [String] {
            var seen: [String] = []
            let parser = XMLParser { event in
                switch event {
                case .begin(let name, _, _): seen.append("<\(name)")
                case .end(let name, _, let text): seen.append(">\(name)=\(text)")
                }
            }
            try parser.feed(Array(bytes[..<cut]).span.bytes)
            try parser.feed(Array(bytes[cut...]).span.bytes)
            try parser.finish()
            return seen
        }
        for cut in 0...bytes.count {
            let seen = try events(cut)
            #expect(seen == ["<a", "<b", ">b=one two", "<b", ">b=", ">a=tail"])
        }
    }

    @Test(arguments: [
        ("", "no element"), ("<a>", "no element"), ("<a></b>", "mismatched"), ("<a/><b/>", "junk"),
        ("<a>&nope;</a>", "undefined entity"),
        ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "declaration is refused"),
        ("<!DOCTYPE a [<!ENTITY x 'xxxxxxxxxx'>]><a>&x;&x;</a>", "declaration is refused"),
        ("<a><b><c><d/></c></b></a>", "inside each other"), ("<a><b/><b/><b/><b/></a>", "elements"),
        ("<a>0123456789x</a>", "bytes of text"), ("<a b='1' c='2' d='3'/>", "attributes"),
        ("<a><!-- " + String(repeating: "x", count: 200) + "--></a>", "longer than 200 bytes"),
    ])
    func whatIsTooMuchOrWrongIsRefused(text: String, words: String) {
        var limits = XMLLimits()
        (limits.depth, limits.elements, limits.text, limits.attributes, limits.bytes) = (3, 4, 10, 2, 200)
        do {
            _ = try XMLParser.parse(Array(text.utf8), limits: limits)
            Issue.record("read: \(text)")
        } catch {
            #expect(error.reason.contains(words), "\(error)")
        }
    }

    @Test func anEventCanStopTheParser() {
        let parser = XMLParser { event throws(XMLError) in throw XMLError(reason: "enough") }
        do throws(XMLError) {
            try parser.feed(Array("<a>\n<b/></a>".utf8).span.bytes)
            Issue.record("not stopped")
        } catch {
            #expect(error == XMLError(line: 1, reason: "enough"))
        }
    }

    @Test func escapedTextComesBack() throws {
        let text = "a<b>&\"'\r\n\t\u{1F600}e\u{301}"
        let escaped = try #require(xmlEscaped(text))
        let root = try XMLParser.parse(Array("<a b=\"\(escaped)\">\(escaped)</a>".utf8))
        #expect(root.text.utf8.elementsEqual(text.utf8) && root.attribute("b")?.utf8.elementsEqual(text.utf8) == true)
        #expect(xmlEscaped("a\u{1}") == nil)
    }
}
