// The options of the backend, and what they make of it.

import CofferPluginSDK
import SSHTransport

/// The options, read and checked.
struct Configuration {
    private var ssh: SSHSettings
    private var settings = Store.Settings()
    private let root: String
    private let connections: Int
    private let patience: UInt64

    /// Reads the options.
    init(_ options: Options) throws(BackendError) {
        ssh = SSHSettings(host: try Self.plain("host", try options.required("host")))
        if let port = try options.integer("port") {
            guard let port = UInt16(exactly: port), port > 0 else { throw Options.wrong("port", "is not a port") }
            ssh.port = port
        }
        ssh.user = try Self.given(options, "user").map { name throws(BackendError) in
            try Self.plain("user", name)
        }
        ssh.password = Self.given(options, "password")
        ssh.passphrase = Self.given(options, "passphrase")
        if let text = Self.given(options, "key") {
            guard Self.given(options, "key_file") == nil else { throw Options.wrong("key", "excludes key_file") }
            ssh.key = .text(text.utf8.last == UInt8(ascii: "\n") ? text : text + "\n")
        } else if let path = Self.given(options, "key_file") {
            ssh.key = .file(path)
        }
        ssh.usesAgent = try options.boolean("agent") ?? false
        ssh.agentSocket = Self.given(options, "agent_socket")
        ssh.trust = try Self.trust(options)
        ssh.connectTimeout = try options.milliseconds("connect_timeout") ?? 15_000
        ssh.keepalive = UInt32(clamping: (try options.milliseconds("keepalive") ?? 30_000) / 1000)
        guard ssh.key != nil || ssh.usesAgent || ssh.password != nil else {
            throw Options.wrong("key_file", "is missing: set key_file, key, agent or password")
        }
        root = try Self.root(options)
        connections = Int(try options.integer("connections") ?? 4)
        guard (1...64).contains(connections) else { throw Options.wrong("connections", "is not between 1 and 64") }
        patience = max(1000, try options.milliseconds("stall_timeout") ?? 30_000)
        try readStore(options)
    }

    private mutating func readStore(_ options: Options) throws(BackendError) {
        settings.isOpenSSH = try Self.choice(options, "server", ["openssh", "other"]) == "openssh"
        settings.isDurable = try Self.choice(options, "durability", ["full", "relaxed"]) == "full"
        settings.makesRoot = try options.boolean("create") ?? true
        settings.fileMode = try Self.mode(options, "file_mode", 0o600)
        settings.directoryMode = try Self.mode(options, "directory_mode", 0o700)
        settings.leftoverAge = max(60, (try options.milliseconds("sweep_after") ?? 86_400_000) / 1000)
    }

    private static func trust(_ options: Options) throws(BackendError) -> SSHSettings.Trust {
        guard let text = given(options, "host_key") else {
            return .knownHosts(path: given(options, "known_hosts"))
        }
        let pins = text.split { $0 == "\n" || $0 == "," }.map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }
            .map(String.init)
        for pin in pins where !HostKeyPin.isPlausible(pin) {
            throw Options.wrong("host_key", "is neither SHA256:… nor a public key as in a file ending in .pub")
        }
        return .pinned(pins)
    }

    /// The root as written, without what could lead elsewhere.
    private static func root(_ options: Options) throws(BackendError) -> String {
        let text = given(options, "root") ?? "."
        guard !text.utf8.contains(0) else { throw Options.wrong("root", "holds a NUL") }
        var bytes = Array(text.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func given(_ options: Options, _ name: String) -> String? {
        options.string(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Nothing that libssh could take for anything but a name.
    private static func plain(_ name: String, _ text: String) throws(BackendError) -> String {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), text.utf8.first != UInt8(ascii: "-") else {
            throw Options.wrong(name, "holds blanks or control characters, or begins with a dash")
        }
        guard name != "host" || !text.utf8.contains(where: { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "/") })
        else {
            throw Options.wrong(name, "is a name or an address alone: put the rest into user, port and root")
        }
        return text
    }

    private static func choice(
        _ options: Options,
        _ name: String,
        _ words: [String]
    ) throws(BackendError) -> String {
        let word = options.string(name) ?? words[0]
        guard words.contains(word) else { throw Options.wrong(name, "is not one of \(words.joined(separator: ", "))") }
        return word
    }

    /// An octal mode; the owner's read and write are needed to work at all.
    private static func mode(_ options: Options, _ name: String, _ least: UInt32) throws(BackendError) -> UInt32 {
        guard let text = given(options, name) else { return least }
        guard let mode = UInt32(text, radix: 8), mode <= 0o7777, mode & least == least else {
            throw Options.wrong(name, "is not an octal mode that holds at least 0\(String(least, radix: 8))")
        }
        return mode
    }

    /// The store that is set like this; nothing is connected yet.
    func makeStore(_ host: HostServices) -> Store {
        Store(Pool(ssh, root: root, most: connections, patience: patience), settings, host: host)
    }

    /// What holds for an instance that is set like this.
    var traits: Traits {
        var native = SFTPBackend.description.capabilities
        if !settings.isOpenSSH {
            native.subtract([.atomicReplace, .createIfAbsent, .move, .usage, .durable, .readPinned])
        }
        if !settings.isDurable { native.remove(.durable) }
        var limits = Traits.Limits()
        limits.maxKey = 1024
        return Traits(native: native, limits: limits)
    }
}
