// What stands at a path on the server, by whatever the server has to ask for it.

import CofferPluginSDK
import Glibc

/// Looks at paths.
struct Looking {
    /// What answers say.
    enum Sight {
        /// Something stands there.
        case found(Facts)
        /// Nothing does.
        case nothing
        /// The server does not know the questions, and is asked otherwise from now on.
        case unknown
    }

    let control: Control
    private var server: Server { control.server }

    /// Looks by a control connection.
    init(_ control: Control) { self.control = control }

    /// What stands at a path; nil if nothing does.
    func look(_ path: [UInt8], _ patience: Patience) throws(Fault) -> Facts? {
        let questions = try questions(path)
        guard !questions.isEmpty else { return try search(path, patience) }
        for question in questions { control.send(question) }
        var answers: [Reply] = []
        for _ in questions { answers.append(try control.answer(patience)) }
        switch try read(answers, path) {
        case .found(let facts): return facts
        case .nothing: return nil
        case .unknown: return try look(path, patience)
        }
    }

    /// What to ask, so that `read` knows; nothing where only a search helps.
    func questions(_ path: [UInt8]) throws(Fault) -> [Command] {
        try fatal { () throws(BackendError) in
            switch server.look {
            case .facts: [try Command("MLST", path)]
            case .sizeAndTime: [try Command("SIZE", path), try Command("MDTM", path)]
            case .listing: []
            }
        }
    }

    /// What the answers to `questions` say.
    func read(_ answers: [Reply], _ path: [UInt8]) throws(Fault) -> Sight {
        guard let first = answers.first else { return .unknown }
        if first.isUnknownCommand {
            server.known.withLock { $0.look = $0.look == .facts ? .sizeAndTime : .listing }
            return .unknown
        }
        guard first.isDone else {
            if first.saysForbidden || first.code < 500 { throw .failed(first.error("cannot look at \(words(path))")) }
            return .nothing
        }
        var facts: Facts?
        if answers.count == 1 {
            // The first and the last line are words, which may hold anything.
            for line in first.lines.dropFirst().dropLast() {
                facts = FactLine.parse(line[(line.first == 0x20 ? 1 : 0)...])?.facts
                if facts != nil { break }
            }
        } else if let size = FactLine.number(Self.word(first)) {
            facts = Facts(kind: .file, size: size)
            if answers[1].code == 213 { facts?.modified = Timestamp.parse(Self.word(answers[1])) ?? Entry.unknownTime }
        }
        guard let facts else {
            throw .failed(BackendError(.io, "the server's answer about \(words(path)) cannot be read: \(first.words)"))
        }
        return .found(facts)
    }

    /// Whether a directory stands at a path.
    func isDirectory(_ path: [UInt8], _ patience: Patience) throws(Fault) -> Bool {
        if server.look == .facts { return try look(path, patience)?.kind == .directory }
        let command = try fatal { () throws(BackendError) in try Command("CWD", path.isEmpty ? [0x2F] : path) }
        return try control.ask(command, patience).isDone
    }

    /// The facts of a name by a listing of its directory.
    private func search(_ path: [UInt8], _ patience: Patience) throws(Fault) -> Facts? {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        let name = path[(slash + 1)...]
        var found: Facts?
        try DirectoryReader(control).forEach(in: Array(path[..<slash]), patience) { facts, entry in
            guard entry.elementsEqual(name) else { return true }
            found = facts
            return false
        }
        return found
    }

    /// The first word of an answer.
    static func word(_ reply: Reply) -> ArraySlice<UInt8> {
        let line = reply.lines.first ?? []
        return line.prefix { $0 != 0x20 }
    }
}

/// A path, for people.
func words(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }
