// What a root remembers of how its files are spread, so that it is never opened as if they were not.

import CLocal
import CofferPluginSDK
import Glibc

extension Store {
    private static let note = Layout.reserved + Array("/sharding".utf8) + [0]

    /// Refuses to open a root that was filled with another `sharding`: its objects would seem to be gone.
    func agreeOnSharding() throws(BackendError) {
        let written = try explaining("cannot read the root's sharding") { () throws(Refusal) in try readSharding() }
        let levels = settings.layout.levels
        if let written, written != levels { throw Self.disagreement(levels, written) }
        guard written == nil, levels > 0 else { return }
        let plain = try explaining("cannot look through the root") { () throws(Refusal) in try firstPlainFile() }
        if let plain { throw Self.disagreement(levels, 0, " (there is \(String(decoding: plain, as: UTF8.self)))") }
        // What cannot be written to cannot be filled with another one meanwhile.
        guard !isReadOnly else { return }
        let reserve = try reserve()
        try explaining("cannot note the root's sharding") { () throws(Refusal) in try noteSharding(reserve) }
    }

    private static func disagreement(_ levels: Int, _ written: Int, _ proof: String = "") -> BackendError {
        Options.wrong(
            "sharding",
            """
            is \(levels), but the root was filled with \(written)\(proof): set it to \(written), \
            or copy the objects into a new root
            """
        )
    }

    /// The path of some file that lies where an object without sharding does; nil if there is none.
    private func firstPlainFile() throws(Refusal) -> [UInt8]? {
        var waiting: [[UInt8]] = [[]]
        while let path = waiting.popLast() {
            let directory = Directory(try tree.openDirectory(path[...].dropLast()))
            var found: [UInt8]?
            try directory.forEach { name, kind throws(Refusal) in
                guard found == nil, !settings.layout.isReserved(name, atRoot: path.isEmpty) else { return }
                switch directory.isDirectory(name, kind) {
                case true?: waiting.append(path + Array(name) + [UInt8(ascii: "/")])
                case false?: found = path + Array(name)
                case nil: break
                }
            }
            if let found { return found }
        }
        return nil
    }

    private func readSharding() throws(Refusal) -> Int? {
        do throws(Refusal) {
            let file = try tree.open(Self.note, O_RDONLY)
            var digit: UInt8 = 0
            guard try Refusal.check(local_pread(file.number, &digit, 1, 0)) == 1 else { return nil }
            return Int(digit) - 0x30
        } catch {
            if error.number == ENOENT { return nil }
            throw error
        }
    }

    private func noteSharding(_ reserve: Reserve) throws(Refusal) {
        let name = reserve.name(attempt: "sharding")
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
        let file = Descriptor(
            try Refusal.check(withName(name) { local_openat(reserve.temporary.number, $0, flags, 0o600) })
        )
        let digit = [UInt8(settings.layout.levels) + 0x30, UInt8(ascii: "\n")]
        try file.write(digit, at: 0)
        try Refusal.check(local_fsync(file.number))
        let base = try tree.openDirectory(Layout.reserved[...])
        try Refusal.check(
            withName(name) { from in
                withName(Array("sharding".utf8) + [0]) {
                    local_renameat(reserve.temporary.number, from, base.number, $0, 0)
                }
            }
        )
        try Refusal.check(local_fsync(base.number))
    }
}
