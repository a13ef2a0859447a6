// What the server says that it can do.

/// What the server says in its answer to FEAT (RFC 2389).
struct Features: Equatable, Sendable {
    /// Whether it answered FEAT at all; if not, each command must be tried.
    var isKnown = false
    /// The facts that MLST and MLSD know, lower-case; nil without MLST.
    var facts: [String]?
    /// Whether a change of the modification time is offered.
    var hasMFMT = false
    /// Whether names are UTF-8.
    var hasUTF8 = false

    /// Nothing is known.
    init() {}

    /// Reads the answer.
    init(_ reply: Reply) {
        guard reply.isDone, reply.lines.count > 1 else { return }
        isKnown = true
        for line in reply.lines.dropFirst().dropLast() {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: true)
            switch words.first?.uppercased() {
            case "MLST":
                facts = words.dropFirst().joined().split(separator: ";").map { $0.lowercased().filter { $0 != "*" } }
            case "MFMT": hasMFMT = true
            case "UTF8": hasUTF8 = true
            default: break
            }
        }
    }

    /// What to set in each session, where names are Latin-1 or else UTF-8.
    func settings(isLatin1: Bool) -> [Command] {
        var commands: [Command] = []
        if hasUTF8 { commands.append(isLatin1 ? Command("OPTS UTF8 OFF") : Command("OPTS UTF8 ON")) }
        // Only what is read, since each fact makes each line of a listing longer.
        if let facts, facts.contains(where: { !["type", "size", "modify", "unique"].contains($0) }) {
            commands.append(Command("OPTS MLST type;size;modify;unique;"))
        }
        return commands
    }
}
