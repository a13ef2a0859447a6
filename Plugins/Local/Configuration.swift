// The options of the backend, and what they make of it.

import CLocal
import CofferPluginSDK
import Glibc

/// The options, read and checked.
struct Configuration {
    private let root: String
    private let makesRoot: Bool
    private var settings = Store.Settings()

    /// Reads the options.
    init(_ options: Options) throws(BackendError) {
        root = try options.required("root")
        guard root.utf8.first == UInt8(ascii: "/") else { throw Options.wrong("root", "is not absolute") }
        makesRoot = try options.boolean("create") ?? true
        settings.isDurable = try Self.choice(options, "durability", ["full", "relaxed"]) == "full"
        settings.isHashing = try Self.choice(options, "foreign_writers", ["stat", "hash"]) == "hash"
        let levels = try options.integer("sharding") ?? 0
        guard (0...2).contains(levels) else { throw Options.wrong("sharding", "is not 0, 1 or 2") }
        settings.layout = Layout(levels: Int(levels))
        settings.fileMode = try Self.mode(options, "file_mode", 0o600)
        settings.directoryMode = try Self.mode(options, "directory_mode", 0o700)
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
        guard let text = options.string(name) else { return least }
        guard let mode = UInt32(text, radix: 8), mode <= 0o7777, mode & least == least else {
            throw Options.wrong(name, "is not an octal mode that holds at least 0\(String(least, radix: 8))")
        }
        return mode
    }

    /// Opens the root, and makes it if it is missing and may be made.
    func openStore() throws(BackendError) -> Store {
        var result = openRoot()
        if result == -ENOENT && makesRoot {
            try makeRoot()
            result = openRoot()
        }
        guard result >= 0 else {
            let refusal = Refusal(number: -result)
            throw BackendError(.config, "option root cannot be opened: \(root): \(refusal.words)", native: -result)
        }
        let store = try explaining("cannot use the root") { () throws(Refusal) in
            try Store(root: Descriptor(result), settings: settings)
        }
        try store.agreeOnSharding()
        return store
    }

    private func openRoot() -> Int32 {
        withName(Array(root.utf8) + [0]) { local_openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
    }

    private func makeRoot() throws(BackendError) {
        let bytes = Array(root.utf8)
        for end in bytes.indices.dropFirst() where bytes[end] == UInt8(ascii: "/") || end == bytes.count - 1 {
            let path = Array(bytes[...end]) + [0]
            let result = withName(path) { local_mkdirat(AT_FDCWD, $0, settings.directoryMode) }
            guard result == 0 || result == -EEXIST else {
                let refusal = Refusal(number: -result)
                throw BackendError(.config, "option root cannot be made: \(root): \(refusal.words)", native: -result)
            }
            if result == 0 && settings.isDurable { syncParent(of: path) }
        }
    }

    private func syncParent(of path: [UInt8]) {
        // A root that does not survive a crash is made again at the next open; what it holds is synced by each write.
        let directory = withName(path) { local_openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        guard directory >= 0 else { return }
        let opened = Descriptor(directory)
        let parent = withName(Array("..".utf8) + [0]) {
            local_openat(opened.number, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        guard parent >= 0 else { return }
        let above = Descriptor(parent)
        withExtendedLifetime(above) { _ = local_fsync(above.number) }
    }

    /// What holds for an instance that is set like this.
    func traits(of store: Store) -> Traits {
        var native = LocalBackend.description.capabilities
        if store.isReadOnly { native.subtract(LocalBackend.changes) } else { native.remove(.readOnly) }
        if !settings.isDurable { native.remove(.durable) }
        // Sharded files and directories do not meet.
        if settings.layout.levels > 0 { native.remove(.directories) }
        if store.fileSystem != local_MSDOS_MAGIC { native.remove(.caseInsensitive) }
        var limits = Traits.Limits()
        limits.maxKey = 1024
        return Traits(native: native, limits: limits)
    }
}
