// The example plugins are the templates with names put in, so that there is one text to keep right.

import Testing

@Suite("The plugin templates")
struct TemplateTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    @Test(arguments: [
        ("plugin-sdk/templates/swift/NAME.swift", "examples/plugins/swift/pantry.swift", "pantry", "Pantry"),
        ("plugin-sdk/templates/rust/NAME.rs", "examples/plugins/rust/larder.rs", "larder", "Larder"),
        ("plugin-sdk/templates/rust/coffer_backend.rs", "examples/plugins/rust/coffer_backend.rs", "", ""),
    ])
    func anExampleIsItsTemplate(_ template: String, _ example: String, _ id: String, _ type: String) throws {
        var text = try contents("\(Self.root)/\(template)")
        for (mark, word) in [("NAME", id), ("Name", type), ("SDKDIR", "/usr/local/share/coffer/sdk")] where !id.isEmpty
        {
            text = replaced(mark, by: word, in: text)
        }
        #expect(text == (try contents("\(Self.root)/\(example)")))
    }

    private func replaced(_ mark: String, by word: String, in text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let first = rest.first {
            let isMark = rest.starts(with: mark.utf8)
            result += isMark ? Array(word.utf8) : [first]
            rest = rest.dropFirst(isMark ? mark.utf8.count : 1)
        }
        return result
    }
}
