import CofferLoader
import Glibc

/// `new`: writes a plugin to start from.
struct NewCommand {
    private let language: String
    private let name: String
    private let directory: String
    private let sdk: String

    init(_ words: [String]) throws {
        let arguments = try Arguments(words, valued: ["--language"], plain: [])
        guard let language = arguments.last("--language") else {
            throw Arguments.Misuse(reason: "--language is missing")
        }
        guard ["c", "rust", "swift"].contains(language) else {
            throw Arguments.Misuse(reason: "--language takes c, rust or swift")
        }
        guard let name = arguments.words.first else { throw Arguments.Misuse(reason: "NAME is missing") }
        guard PluginDescription.isValidID(name) else {
            throw Arguments.Misuse(reason: "\(name): a name is lower-case letters, digits and hyphens, a letter first")
        }
        guard arguments.words.count <= 2 else {
            throw Arguments.Misuse(reason: "\(arguments.words[2]) is one word too many")
        }
        self.language = language
        self.name = name
        directory = arguments.words.count == 2 ? arguments.words[1] : name
        sdk = try Self.sdk()
    }

    func run() throws -> Int32 {
        let source = try templates() + "/" + language
        guard let files = filesBelow(source), !files.isEmpty else {
            throw Refusal(reason: "\(language): there is no template in \(source)")
        }
        let targets = files.map { (from: "\(source)/\($0)", to: "\(directory)/\(named($0))") }
        for target in targets where access(target.to, F_OK) == 0 {
            throw Refusal(reason: "\(target.to): it exists already, and nothing is overwritten")
        }
        for target in targets {
            guard let content = readFile(target.from) else {
                throw Refusal(reason: "\(target.from): it cannot be read")
            }
            try makeDirectories(above: target.to)
            try writeFile(target.to, Array(named(String(decoding: content, as: UTF8.self)).utf8))
            print("wrote \(target.to)")
        }
        print("\nbuild it:  cd \(directory) && \(buildCommand)")
        print("prove it:  coffer-plugin-check check ./libcoffer-\(name).so")
        return 0
    }

    private var buildCommand: String {
        let library = "libcoffer-\(name).so"
        return switch language {
        case "c": "cc -shared -fPIC -O2 $(pkg-config --cflags coffer-plugin) -o \(library) \(name).c"
        case "rust": "rustc --edition 2021 -O --crate-type cdylib -o \(library) \(name).rs"
        default:
            "swiftc -O -wmo -swift-version 6 -parse-as-library -enable-upcoming-feature InternalImportsByDefault "
                + "-emit-library -static-stdlib -module-name \(typeName) -I \(sdk)/include -o \(library) "
                + "\(name).swift \(sdk)/swift/*.swift"
        }
    }

    /// Where this program lies, as the parts of a path.
    private static func place() throws -> [Substring] {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else { throw Refusal(reason: "templates: the place of this program is unknown") }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: "/")
            .dropLast()
    }

    /// The SDK: one that was named, or the one that is installed beside this program.
    private static func sdk() throws -> String {
        if let named = getenv("COFFER_SDK") { return String(cString: named) }
        return try "/" + place().dropLast().joined(separator: "/") + "/share/coffer/sdk"
    }

    /// Where the templates are: in the SDK, or in the source tree that this program was built in.
    private func templates() throws -> String {
        let installed = sdk + "/templates"
        if access(installed, F_OK) == 0 { return installed }
        var parts = try Self.place()
        while !parts.isEmpty {
            for folder in ["templates", "plugin-sdk/templates"] {
                let place = "/" + parts.joined(separator: "/") + "/" + folder
                if access(place, F_OK) == 0 { return place }
            }
            parts.removeLast()
        }
        throw Refusal(reason: "templates: none in \(installed); COFFER_SDK names another SDK")
    }

    /// The name as a type: `my-store` is `MyStore`.
    private var typeName: String {
        name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// `NAME` replaced by the name, `Name` by the name as a type, `SDKDIR` by the place of the SDK.
    private func named(_ text: String) -> String {
        [("NAME", name), ("Name", typeName), ("SDKDIR", sdk)].reduce(text) {
            replacing($1.0, by: $1.1, in: $0)
        }
    }

    private func replacing(_ word: String, by other: String, in text: String) -> String {
        let mark = Array(word.utf8)
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.first {
            let isMark = first == mark[0] && rest.starts(with: mark)
            result += isMark ? Array(other.utf8) : [first]
            rest = rest.dropFirst(isMark ? mark.count : 1)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
