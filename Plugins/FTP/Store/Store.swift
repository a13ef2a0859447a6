// The objects of an instance: files below a directory of the server.

import CofferPluginSDK
import Glibc

/// Objects as files below the root, over a pool of connections.
final class Store: Sendable {
    let server: Server
    let pool: Pool
    let names: Names
    let recent = Recent()
    let session = SessionName.current()
    let sweeper: Sweeper
    /// Tells apart what this instance uploads.
    private let uploads = Guarded(0)

    var settings: Settings { server.settings }

    /// The objects that the settings name.
    init(_ settings: Settings) {
        server = Server(settings)
        pool = Pool(server)
        names = Names(isLatin1: settings.isLatin1)
        sweeper = Sweeper()
    }

    /// The patience of a call.
    func patience(_ call: Call) -> Patience { Patience(call, stallMilliseconds: settings.stallMilliseconds) }

    /// The path of a name below the root; known after a login.
    func path(_ name: [UInt8]) -> [UInt8] { server.base + [UInt8(ascii: "/")] + name }

    /// The path of a new file that nobody sees.
    func temporary(_ attempt: ByteString) -> [UInt8] {
        let number = uploads.withLock { number in
            number += 1
            return number
        }
        let name = session.bytes + [UInt8(ascii: ".")] + SessionName.plain(attempt.bytes) + Array(".\(number)".utf8)
        return path(Names.reserved + [UInt8(ascii: "/")] + name)
    }

    /// Whether tokens tell every two states of an object apart: only then are they given out.
    var hasTokens: Bool {
        server.known.withLock { known in
            guard let facts = known.features?.facts, known.features?.hasMFMT == true, known.changesTimes != false else {
                return false
            }
            return facts.contains("unique") && facts.contains("modify")
        }
    }

    /// Throws `unsupported` unless the server sets times.
    func requireTimes(_ patience: Patience) throws(BackendError) {
        // Known after a login.
        try meaning { () throws(Fault) in try pool.repeating(patience) { _ throws(Fault) in } }
        let isOffered = server.known.withLock { $0.features?.hasMFMT == true && $0.changesTimes != false }
        guard isOffered else {
            throw BackendError(.unsupported, "the server does not set times (MFMT), though option set_mtime says so")
        }
    }

    /// An entry of what stands at a key.
    func entry(_ key: ByteString, _ facts: Facts) -> Entry {
        Entry(
            key,
            size: facts.size,
            modified: facts.modified,
            etag: hasTokens ? Facts.tag(facts.token) : .empty
        )
    }

    /// What is known of an object.
    func stat(_ key: ByteString, _ patience: Patience) throws(BackendError) -> Entry {
        let name = try names.name(of: key.bytes)
        let facts = try meaning { () throws(Fault) in
            try pool.repeating(patience) { control throws(Fault) in
                try Looking(control).look(path(name), patience)
            }
        }
        guard let facts, facts.kind == .file else { throw .notFound(key) }
        return entry(key, facts)
    }

    /// Makes directories that are not known to be there, and remembers those that were made; answers them.
    @discardableResult
    func makeDirectories(_ paths: [[UInt8]], _ control: Control, _ patience: Patience) throws(Fault) -> [[UInt8]] {
        let missing = paths.filter { !server.hasDirectory($0) }
        for path in missing { control.send(try command("MKD", path)) }
        var made: [[UInt8]] = []
        for path in missing where try control.answer(patience).isDone {
            server.remember(path)
            made.append(path)
        }
        return made
    }

    /// The directories on the way to the root, if it may be made, and the root itself.
    var rootDirectories: [[UInt8]] {
        guard settings.makesRoot else { return [] }
        return Self.directories(to: server.base + [UInt8(ascii: "/")], below: 0)
    }

    /// The directories on the way to a path, from the first below a length.
    static func directories(to path: [UInt8], below start: Int) -> [[UInt8]] {
        path.indices.filter { $0 > start && path[$0] == UInt8(ascii: "/") }.map { Array(path[..<$0]) }
    }

    /// Removes the directories on the way to a path, from the last, as long as they are empty.
    func prune(_ path: [UInt8], _ control: Control, _ patience: Patience) throws(Fault) {
        let doomed = Self.directories(to: path, below: server.base.count).reversed()
        for path in doomed { control.send(try command("RMD", path)) }
        for path in doomed where try control.answer(patience).isDone { server.forget(path) }
    }

    /// A command with a path.
    func command(_ verb: StaticString, _ path: [UInt8]) throws(Fault) -> Command {
        try fatal { () throws(BackendError) in try Command(verb, path) }
    }
}
