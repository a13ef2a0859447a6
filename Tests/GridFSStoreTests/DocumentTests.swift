import GridFSModel
import Testing

/// A document that was written by another hand: {"hello": "world"}, from the specification of BSON.
private let hello: [UInt8] =
    [0x16, 0, 0, 0, 0x02] + Array("hello".utf8) + [0, 6, 0, 0, 0] + Array("world".utf8) + [0, 0]

@Suite struct DocumentTests {
    @Test func whatOthersWriteIsRead() throws {
        let document = try #require(Document(hello))
        #expect(document["hello"]?.text == Array("world".utf8))
        #expect(document["hell"] == nil)
        #expect(Document.make { $0.append("hello", "world") }.bytes == hello)
    }

    @Test func everyTypeComesBackAsItWas() throws {
        let id = try #require(ObjectID([UInt8](0..<12)))
        let values: [Value] = [
            .double(1.5), .string(Array("a\u{0}é".utf8)), .document(.make { $0.append("x", Int32(1)) }),
            .binary(subtype: 4, [1, 2, 3]), .binary(subtype: 0, []), .objectID(id), .boolean(true), .boolean(false),
            .date(-1), .null, .int32(.min), .int64(.max), .other(type: 0x11, [1, 2, 3, 4, 5, 6, 7, 8]),
            .other(type: 0x0B, [0x61, 0, 0x69, 0]), .other(type: 0x7F, []), .other(type: 0x13, [UInt8](0..<16)),
        ]
        let document = Document.make { writer in
            for (index, value) in values.enumerated() { writer.append("f\(index)", value) }
            writer.append("all", array: values)
        }
        let read = try #require(Document(document.bytes))
        for (index, value) in values.enumerated() { #expect(read["f\(index)"] == value) }
        #expect(read["all"]?.elements == values)
        #expect(Document.make { for (name, value) in read { $0.append(name, value) } } == document)
    }

    @Test func noBytesOfAServerBringItDown() {
        let whole = Document.make { writer in
            writer.append("a", "text")
            writer.append("b") { $0.append("c", array: [.int32(1), .null]) }
            writer.append("d", .binary(subtype: 0, [1, 2, 3]))
        }.bytes
        for count in 0..<whole.count { #expect(Document(whole[..<count]) == nil) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            guard let document = Document(bytes) else { continue }
            for (_, value) in document { _ = value.plainText }
        }
    }

    @Test func documentsThatLieTooDeepAreRefused() {
        var document = Document.empty
        for _ in 0..<99 { document = .make { $0.append("d", document) } }
        #expect(Document(document.bytes) != nil)
        for _ in 0..<10 { document = .make { $0.append("d", document) } }
        #expect(Document(document.bytes) == nil)
    }

    @Test func numbersOfAnyTypeAreNumbers() {
        #expect(Value.int32(7).integer == 7)
        #expect(Value.int64(1 << 40).integer == 1 << 40)
        #expect(Value.double(3).integer == 3)
        #expect(Value.double(3.5).integer == nil)
        #expect(Value.double(.nan).integer == nil)
        #expect(Value.string([0x37]).integer == nil)
    }

    @Test func whatIsComposedIsShownAsJSON() {
        let value = Value.document(
            .make {
                $0.append("a", array: [.int32(1), .string(Array("q\"\n".utf8)), .null])
                $0.append("b", true)
            }
        )
        #expect(String(decoding: value.plainText, as: UTF8.self) == #"{"a":[1,"q\"\u000a",null],"b":true}"#)
        #expect(Value.string(Array("plain".utf8)).plainText == Array("plain".utf8))
    }
}
