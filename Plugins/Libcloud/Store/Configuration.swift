// The options, read and checked.

package import CofferJSON
package import CofferPluginSDK
import Glibc

/// The options, read and checked.
package struct Configuration: Sendable {
    /// The file of the interpreter.
    package var python: String
    /// Libcloud's name of the provider.
    package var provider: String
    /// What is known of it.
    package var family: Family
    /// The container.
    package var container: String
    /// What the driver is made with.
    package var arguments: JSONObject
    /// Texts that no message may hold.
    package var secrets: [String]
    /// The most children at once.
    package var processes: Int
    /// How long a child may be silent, in nanoseconds.
    package var stallTimeout: UInt64
    /// The folder of what is not yet published.
    package var spool: String
    /// What is native.
    package var native: Capabilities

    /// Reads the options; `name` is the storage's name, which is the container's where none is set.
    package init(name: String, _ options: Options) throws(BackendError) {
        provider = try options.required("provider")
        guard provider.utf8.allSatisfy({ Self.isNameByte($0) }) else {
            throw Options.wrong("provider", "is no name of a provider: it is a word like s3 or azure_blobs")
        }
        family = Family(provider: provider)
        container = Self.text(options, "container") ?? name
        guard !container.isEmpty, !container.utf8.contains(0x2F), container != ".", container != ".." else {
            throw Options.wrong("container", "is no name of a container")
        }
        (arguments, secrets) = try Self.arguments(options)
        processes = try Self.count(options, "processes", default: 4, in: 2...64)
        stallTimeout = try (options.milliseconds("stall_timeout") ?? 60_000).clamped(to: 1...86_400_000) * 1_000_000
        spool = Self.text(options, "spool") ?? Self.environment("TMPDIR") ?? "/var/tmp"
        let enforces = try Self.word(options, "enforces", Enforcement.init) ?? .auto
        let keeps = try Self.word(options, "keeps", Keeping.init) ?? .auto
        if family == .local && (enforces == .native || (keeps != .auto && keeps != .nothing)) {
            let wrong = enforces == .native ? "enforces" : "keeps"
            throw Options.wrong(wrong, "says what the driver local does not do")
        }
        native = family.capabilities(enforces: enforces, keeps: keeps)
        python = try Self.interpreter(Self.text(options, "python") ?? "python3")
    }

    private static func text(_ options: Options, _ name: String) -> String? {
        guard let text = options.string(name), !text.isEmpty else { return nil }
        return text
    }

    private static func count(
        _ options: Options,
        _ name: String,
        default usual: Int,
        in bounds: ClosedRange<Int>
    ) throws(BackendError) -> Int {
        guard let number = try options.integer(name) else { return usual }
        guard let count = Int(exactly: number), bounds.contains(count) else {
            throw Options.wrong(name, "is not between \(bounds.lowerBound) and \(bounds.upperBound)")
        }
        return count
    }

    private static func word<Word>(
        _ options: Options,
        _ name: String,
        _ make: (String) -> Word?
    ) throws(BackendError) -> Word? {
        guard let text = text(options, name) else { return nil }
        guard let word = make(text) else { throw Options.wrong(name, "has no such choice") }
        return word
    }

    /// What the driver is made with, and which texts of it are secret.
    private static func arguments(_ options: Options) throws(BackendError) -> (JSONObject, [String]) {
        var members: [JSONObject.Member] = []
        var secrets: [String] = []
        func set(_ name: String, _ value: JSONValue) { members.append(JSONObject.Member(name: name, value: value)) }
        set("key", .string(try options.required("key")))
        if let secret = text(options, "secret") {
            set("secret", .string(secret))
            secrets.append(secret)
        }
        for name in ["host", "region"] {
            if let value = text(options, name) { set(name, .string(value)) }
        }
        if let port = try options.integer("port") {
            guard (1...65_535).contains(port) else { throw Options.wrong("port", "is not between 1 and 65535") }
            set("port", .integer(port))
        }
        if let isSecure = try options.boolean("secure") { set("secure", .bool(isSecure)) }
        for (name, text) in try options.map("arguments") {
            guard !members.contains(where: { $0.isCalled(name) }), name != "secret" else {
                throw Options.wrong("arguments", "holds \(name), which is an option of its own")
            }
            guard name.utf8.allSatisfy({ isNameByte($0) }), !name.isEmpty else {
                throw Options.wrong("arguments", "holds a name that is no name of an argument")
            }
            let value = argument(text)
            set(name, value)
            if let text = value.stringValue { secrets.append(text) }
        }
        // A short word would strike letters out of every message.
        return (JSONObject(members), secrets.filter { $0.utf8.count >= 4 })
    }

    /// A value of `arguments`: JSON where it is such and no string, a string else.
    ///
    /// A string that looks like something else stands in quotes: `"7"`.
    package static func argument(_ text: String) -> JSONValue {
        guard let value = try? JSONValue(parsing: text) else {
            // Whatever is no JSON is a text.
            return .string(text)
        }
        return value
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// The value of a variable of the environment, if it has one.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// The file of an interpreter that is named by a path or stands in `PATH`.
    private static func interpreter(_ name: String) throws(BackendError) -> String {
        func isProgram(_ path: String) -> Bool {
            var facts = stat()
            return access(path, X_OK) == 0 && stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
        }
        if name.utf8.contains(0x2F) {
            guard isProgram(name) else {
                throw Options.wrong("python", "is no program: \(name): install Python 3 there, or name another one")
            }
            return name
        }
        for folder in (environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
            let path = "\(folder)/\(name)"
            if isProgram(path) { return path }
        }
        throw Options.wrong(
            "python",
            "finds no \(name) in PATH: install Python 3 (Debian: apt install python3), or name it"
        )
    }
}

extension UInt64 {
    fileprivate func clamped(to bounds: ClosedRange<UInt64>) -> UInt64 {
        Swift.min(Swift.max(self, bounds.lowerBound), bounds.upperBound)
    }
}
