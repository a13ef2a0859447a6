import CCofferPlugin

/// Proves that what a plugin does not declare is refused, and changes nothing.
enum Refusals {
    /// Asks for what `capability` names, which the plugin declares none; answers how it was refused.
    static func prove(_ capability: Capabilities, on subject: Subject, in trial: Trial) throws -> String {
        let word = capability.names.first ?? "?"
        // A key for each: what one refusal leaves, rightly, is no proof against another.
        let key = trial.key("refused-\(word)")
        switch capability {
        case .stat: return try missing(subject.ops.stat == nil, word) { _ = try subject.stat(key) }
        case .read: return try missing(subject.ops.read_open == nil, word) { _ = try subject.openRead(key) }
        case .write: return try missing(subject.ops.write_begin == nil, word) { _ = try subject.beginWrite(key) }
        case .remove: return try missing(subject.ops.remove == nil, word) { try subject.remove(key) }
        case .list: return try missing(subject.ops.list_open == nil, word) { _ = try subject.openList(key) }
        case .removeBatch:
            return try missing(subject.ops.remove_batch == nil, word) { _ = try subject.removeBatch([key]) }
        case .copy: return try missing(subject.ops.copy == nil, word) { _ = try subject.copy(key, trial.key("to")) }
        case .move: return try missing(subject.ops.move == nil, word) { _ = try subject.move(key, trial.key("to")) }
        case .presign: return try missing(subject.ops.presign == nil, word) { try subject.presign(key) }
        case .publicURL: return try missing(subject.ops.public_url == nil, word) { try subject.publicURL(key) }
        case .containers:
            return try missing(subject.ops.container_list == nil, word) { try subject.containerList() }
        case .usage: return try missing(subject.ops.usage == nil, word) { try subject.usage() }
        case .resume:
            if subject.uploads == nil { return "the extension coffer.upload/1 is absent" }
            return try missing(false, word) { _ = try subject.beginUpload(key) }
        case .ingest: return try ingest(subject, key)
        case .range: return try reading(subject, key, ReadOptions(offset: 1, length: 1), word)
        case .readCondition: return try reading(subject, key, ReadOptions(ifMatch: "no-such-token"), word)
        case .versions: return try reading(subject, key, ReadOptions(version: "no-such-version"), word)
        case .createIfAbsent: return try writing(subject, key, WriteOptions(ifNoneMatch: "*"), word)
        case .ifMatch: return try writing(subject, key, WriteOptions(ifMatch: "no-such-token"), word)
        case .contentType:
            return try writing(subject, key, WriteOptions(properties: [("content-type", "text/plain")]), word)
        case .contentProps:
            for name in ["content-encoding", "content-disposition", "content-language", "cache-control"] {
                _ = try writing(subject, key, WriteOptions(properties: [(Name(name), "x")]), name)
            }
            return "the call was refused"
        case .mtime: return try writing(subject, key, WriteOptions(properties: [("mtime", "1000000000")]), word)
        case .checksum:
            let wrong = Digest(algorithm: "sha256", value: Name(String(repeating: "0", count: 64)))
            return try writing(subject, key, WriteOptions(checksums: [wrong]), word)
        case .userMeta: return try writing(subject, key, WriteOptions(metadata: [("colour", "blue")]), word)
        case .removeIfMatch: return try removing(subject, key)
        case .delimiter: return try listing(subject, trial, ListOptions(delimiter: "/"), word)
        case .startAfter: return try listing(subject, trial, ListOptions(startAfter: key), word)
        case .copyCondition:
            return try copying(subject, trial, CopyOptions(sourceIfMatch: "no-such-token"), word)
        case .copyMeta:
            return try copying(subject, trial, CopyOptions(replacesMeta: true), word)
        default: return "nothing in the ABI asks for it; the host refuses a storage that needs it"
        }
    }

    private static func refused(_ code: coffer_status, _ what: String) throws {
        try expectCode(code, COFFER_E_UNSUPPORTED, in: "\(what), which is declared none")
    }

    private static func missing(_ isNull: Bool, _ what: String, _ call: () throws -> Void) throws -> String {
        if isNull { return "the function is absent" }
        do {
            try call()
        } catch let error as PluginError {
            try refused(error.code, what)
            return "the call was refused"
        }
        throw Mismatch(expected: "\(what), which is declared none, to be unsupported", got: "ok", line: #line)
    }

    /// A read is asked of an object that exists, where one can be made.
    private static func reading(_ subject: Subject, _ key: Name, _ options: ReadOptions, _ what: String) throws
        -> String
    {
        guard subject.has(.read) else { return "there is no read either" }
        if subject.has(.write) { try subject.put(key, "0123456789") }
        let code = subject.code { subject.drop(try subject.openRead(key, options)) }
        if !subject.has(.write) && code == COFFER_E_NOT_FOUND { return "there is no object to ask it of" }
        try refused(code, what)
        return "the call was refused"
    }

    private static func writing(_ subject: Subject, _ key: Name, _ options: WriteOptions, _ what: String) throws
        -> String
    {
        guard subject.has(.write) else { return "there is no write either" }
        try refused(subject.code { subject.drop(try subject.beginWrite(key, options)) }, what)
        if subject.has(.resume) {
            try refused(subject.code { _ = try subject.beginUpload(key, options) }, "\(what) of an upload")
        }
        if subject.has(.read) {
            try expect(try !subject.exists(key), "no object after a refused write", got: "one")
        }
        return "the write was refused before anything was written"
    }

    private static func ingest(_ subject: Subject, _ key: Name) throws -> String {
        guard subject.has(.write), let function = subject.ops.write_ingest else { return "the function is absent" }
        let writer = try subject.beginWrite(key)
        defer { writer.close() }
        var done: UInt64 = 0
        let code = subject.code {
            try subject.perform("write_ingest \(key)") { call, error in
                function(writer.stream, call, 0, 0, 1, &done, error)
            }
        }
        try refused(code, "write_ingest")
        try expectEqual(done, 0, "bytes taken by a refused write_ingest")
        return "the call was refused"
    }

    private static func removing(_ subject: Subject, _ key: Name) throws -> String {
        guard subject.has([.write, .remove, .read]) else { return "there is nothing to remove" }
        try subject.put(key, "stays")
        try refused(subject.code { try subject.remove(key, ReadOptions(ifMatch: "no-such-token")) }, "remove_if_match")
        try expect(try subject.exists(key), "the object to stay after a refused remove", got: "none")
        return "the call was refused and the object is still there"
    }

    private static func listing(_ subject: Subject, _ trial: Trial, _ options: ListOptions, _ what: String) throws
        -> String
    {
        guard subject.has(.list) else { return "there is no list either" }
        try refused(subject.code { subject.drop(try subject.openList(trial.key(""), options)) }, what)
        return "the call was refused"
    }

    private static func copying(_ subject: Subject, _ trial: Trial, _ options: CopyOptions, _ what: String) throws
        -> String
    {
        guard subject.has([.copy, .write, .read]) else { return "there is no copy either" }
        let (from, to) = (trial.key("from"), trial.key("to"))
        try subject.put(from, "source")
        try refused(subject.code { _ = try subject.copy(from, to, options) }, what)
        try expect(try !subject.exists(to), "no target after a refused copy", got: "one")
        return "the call was refused and nothing was copied"
    }
}

extension Subject {
    func drop(_ reader: Reader) { reader.close() }
    func drop(_ writer: Writer) { writer.close() }
    func drop(_ lister: Lister) { lister.close() }
}
