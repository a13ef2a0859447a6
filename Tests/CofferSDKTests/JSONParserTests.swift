import CofferJSON
import Testing

@Suite("JSON is read strictly")
struct JSONParserTests {
    static let valid: [(String, JSONValue)] = [
        ("null", JSONValue.null), (" true\n", true), ("-0", -0.0), ("0", 0), ("-12", -12), ("1.5", 1.5),
        ("1e3", 1000.0),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("[]", []), ("{}", [:]),
        (#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, "a\"\\/\u{8}\u{C}\n\r\té😀"),
        (#"[1,[2],{"a":null}]"#, [1, [2], ["a": nil]]),
        (#"{"b":1,"a":2}"#, ["b": 1, "a": 2]),
    ]

    @Test(arguments: valid)
    func validTextIsItsValue(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "True", "01", "-", "1.", ".5", "1e", "+1", "1e999", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1,\"a\":2}", "\"\n\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"abc",
        "[", "{", "1 1", "\u{FEFF}1", "'a'", "NaN", "[1]]",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        for bytes: [UInt8] in [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] {
            #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
        }
    }

    @Test func namesAreComparedAsBytes() throws {
        let text = "{\"\u{E9}\":1,\"e\u{301}\":2}"
        let value = try JSONValue(parsing: text)
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }

    @Test func manyNamesAreStillChecked() {
        let names = (0..<100).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
        #expect(throws: Never.self) { try JSONValue(parsing: "{\(names)}") }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "{\(names),\"n7\":1}") }
    }

    @Test func depthIsBounded() {
        let fits = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(throws: Never.self) { try JSONValue(parsing: fits) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[" + fits + "]") }
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 1_000_000)) }
    }

    @Test func anErrorNamesLineAndColumn() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: "{\n  \"é\": x\n}") }
        #expect(error?.description == "2:8: no value starts like this")
    }
}

@Suite("JSON is written as it is read")
struct JSONWriterTests {
    @Test(arguments: [
        "null", "[1,-2,1.5,true,false]", #"{"a":{"b":[]},"c":"x"}"#, #"["\u0000\u001f\"\\\n","é😀"]"#,
        "9223372036854775807",
        "-9223372036854775808", "{}", "[[],[]]",
    ])
    func textSurvives(text: String) throws {
        #expect(try JSONValue(parsing: text).description == text)
    }

    @Test func bytesThatAreNotUTF8BecomeReplacementCharacters() throws {
        var bytes: [UInt8] = []
        bytes.appendJSONString([0x61, 0xFF, 0x22], 0..<3)
        #expect(try JSONValue(parsing: bytes) == "a\u{FFFD}\"")
    }

    @Test func indentationKeepsTheValue() throws {
        let value: JSONValue = ["a": [1, ["b": "c"]], "d": [:], "e": []]
        let text = String(decoding: value.bytes(isIndented: true), as: UTF8.self)
        #expect(text.split(separator: "\n").first == "{")
        #expect(text.contains("\n  \"a\": ["))
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(arguments: [0, 7, 10, 99, -1, 1_234_567_890, .max, .min] as [Int64])
    func decimalsAreThoseOfSwift(number: Int64) {
        var bytes: [UInt8] = []
        bytes.appendDecimal(number)
        #expect(String(decoding: bytes, as: UTF8.self) == String(number))
    }

    @Test func notANumberIsNull() {
        #expect(JSONValue.number(.infinity).description == "null")
    }
}
