// Changing the files behind the keys.

import CofferPluginSDK
import CofferTransport
import CofferXML

extension Store {
    // MARK: folders

    /// Makes the folders above a key, and the root itself, as far as they are not known.
    func makeParents(of key: [UInt8], _ call: Call) throws(BackendError) {
        let parents = key.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropLast()
        let nearest = names.root + parents.map { percentEncoded($0) + "/" }.joined()
        guard !folders.contains(nearest) else { return }
        var path = settings.location.target
        for segment in settings.root.map({ $0[...] }) + parents {
            path += percentEncoded(segment) + "/"
            guard !folders.contains(path) else { continue }
            try makeFolder(path, call)
            folders.insert(path)
        }
        folders.insert(nearest)
    }

    /// Makes one folder; it is no error that it is there.
    private func makeFolder(_ path: String, _ call: Call) throws(BackendError) {
        let answer = try endpoint.send(HTTPRequest("MKCOL", path), call: call)
        switch answer.status {
        case 200..<300, 405: return
        // Some answer so where a file stands in the way, some where the folder exists.
        case 301, 400, 403, 409:
            guard let found = try look(path, "a folder", call) else { throw answer.failure("making a folder") }
            guard found.isFolder else { throw BackendError(.alreadyExists, "an object stands where a folder must be") }
        default: throw answer.failure("making a folder")
        }
    }

    /// The error of a change that failed although its folders were made: an object may stand where one must be.
    func conflict(_ key: ByteString, _ answer: HTTPAnswer, _ call: Call) throws(BackendError) -> BackendError {
        var parent = key.bytes[...]
        while let slash = parent.lastIndex(of: UInt8(ascii: "/")) {
            parent = parent[..<slash]
            let path = names.root + percentEncoded(parent, keeping: "/")
            guard let found = try look(path, "a folder", call) else { continue }
            guard !found.isFolder else { break }
            return BackendError(.alreadyExists, "an object stands where a folder must be: \(key)", native: 409)
        }
        return answer.failure("writing \(key)")
    }

    /// Makes the folder for what is not published, and takes away what was left there long ago; once for an instance.
    func prepare(_ call: Call) throws(BackendError) {
        let folder = Names.reserved + [UInt8(ascii: "/")]
        guard !folders.contains(names.folder(folder)) else { return }
        try makeParents(of: folder + [UInt8(ascii: "x")], call)
        let aDayAgo = wallClock() - 86_400_000_000_000
        for left in try members(of: folder, call) ?? [] where !left.isFolder && left.modified < aDayAgo {
            guard left.modified != Entry.unknownTime, let name = left.href.split(separator: UInt8(ascii: "/")).last
            else {
                continue
            }
            try delete(names.temporary(ByteString(Array(name))), "what was left", call)
        }
    }

    // MARK: changes

    func remove(_ request: RemoveRequest, _ call: Call) throws(BackendError) {
        let path = try names.path(of: request.key)
        let found = try look(path, "\(request.key)", call).flatMap { $0.isFolder ? nil : $0 }
        guard try request.check(existing: found?.tag) else { return }
        var headers = HTTPHeaders()
        if !request.ifMatch.isEmpty { headers["If-Match"] = Self.field(request.ifMatch) }
        let answer = try endpoint.send(HTTPRequest("DELETE", path, headers: headers), call: call)
        switch answer.status {
        case 200..<300 where answer.status != 207: return
        case 404, 410: if request.isStrict && request.ifMatch.isEmpty { throw .notFound(request.key) }
        default: throw answer.failure("removing \(request.key)")
        }
    }

    /// Removes what may be there.
    func delete(_ path: String, _ what: String, _ call: Call) throws(BackendError) {
        let answer = try endpoint.send(HTTPRequest("DELETE", path), call: call)
        guard answer.head.isSuccess || answer.status == 404 else { throw answer.failure("removing \(what)") }
    }

    func copy(_ request: CopyRequest, _ call: Call) throws(BackendError) -> Entry {
        let from = try names.path(of: request.from)
        _ = try names.path(of: request.to)
        let source = try object(request.from, call)
        try prepare(call)
        let temporary = names.temporary(request.attempt)
        do throws(BackendError) {
            let answer = try carry("COPY", from, to: temporary, overwrite: true, call)
            if answer.status == 404 { throw BackendError.notFound(request.from) }
            guard answer.head.isSuccess, answer.status != 207 else { throw answer.failure("copying \(request.from)") }
            guard let copied = try look(temporary, "a copy", call), copied.size == source.size else {
                throw BackendError(
                    .changed,
                    "the object changed while it was copied: \(request.from)",
                    isRetryable: true
                )
            }
            return try publish(temporary, as: request.to, request.conditions, call)
        } catch {
            dispose(of: temporary)
            throw error
        }
    }

    func move(_ request: CopyRequest, _ call: Call) throws(BackendError) -> Entry {
        let from = try names.path(of: request.from)
        _ = try names.path(of: request.to)
        _ = try object(request.from, call)
        return try publish(from, as: request.to, request.conditions, call)
    }

    /// Takes away what an attempt gathered, within what a close may take.
    func dispose(of temporary: String) {
        // What cannot be removed now lies under a name that nobody else uses, and goes a day later.
        try? delete(temporary, "an attempt", Call(deadline: monotonicNow() + 800_000_000))
    }

    /// Moves a file to a key, which no folder may have.
    ///
    /// Where nothing is there, `Overwrite: F` keeps it so that what appears meanwhile, perhaps a folder, is not lost.
    func publish(
        _ source: String,
        as key: ByteString,
        _ conditions: Conditions,
        _ call: Call
    ) throws(BackendError) -> Entry {
        let target = try names.path(of: key)
        try makeParents(of: key.bytes, call)
        var overwrites = false
        var isKnown = true
        for _ in 0..<6 {
            let answer =
                if overwrites {
                    try replacements.replacing(key) { () throws(BackendError) in
                        try carry("MOVE", source, to: target, overwrite: true, call)
                    }
                } else {
                    try carry("MOVE", source, to: target, overwrite: false, call)
                }
            switch answer.status {
            case 200..<300 where answer.status != 207: return try entry(of: key, call)
            case 412:
                guard conditions.ifNoneMatch.isEmpty else {
                    throw BackendError(.alreadyExists, "already exists: \(key)")
                }
                guard let found = try look(target, "\(key)", call) else { continue }
                if found.isFolder { throw BackendError(.alreadyExists, "a folder has that name: \(key)") }
                overwrites = true
            case 400, 403, 404, 409, 500:
                // The answer to a move that was done may have been lost, and the second one finds its source gone.
                if try look(source, "\(key)", call) == nil {
                    guard try look(target, "\(key)", call) != nil else { throw BackendError.notFound(key) }
                    return try entry(of: key, call)
                }
                guard isKnown else { throw try conflict(key, answer, call) }
                folders.forget()
                try makeParents(of: key.bytes, call)
                isKnown = false
            default: throw answer.failure("publishing \(key)")
            }
        }
        throw BackendError(.unavailable, "others change the object all the time: \(key)", isRetryable: true)
    }

    private func carry(
        _ method: String,
        _ source: String,
        to target: String,
        overwrite: Bool,
        _ call: Call
    ) throws(BackendError) -> HTTPAnswer {
        var request = HTTPRequest(method, source)
        request.headers["Destination"] = "\(settings.location.origin)\(target)"
        request.headers["Overwrite"] = overwrite ? "T" : "F"
        request.headers["Depth"] = method == "COPY" ? "0" : nil
        // A server may copy for long before it answers.
        request.answerTimeout = settings.http.answerTimeout * 10
        return try endpoint.send(request, call: call)
    }

    /// Keeps properties with a file.
    func keep(_ document: String, at path: String, _ what: String, _ call: Call) throws(BackendError) {
        guard let text = xmlEscaped(document) else {
            throw BackendError(.invalidArgument, "the metadata hold a character that XML cannot hold: \(what)")
        }
        let body = """
            <?xml version="1.0" encoding="utf-8"?>
            <D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><c:\(Document.name) xmlns:c="\(Document.namespace)">\(text)\
            </c:\(Document.name)></D:prop></D:set></D:propertyupdate>
            """
        var request = HTTPRequest("PROPPATCH", path, headers: ["Content-Type": "application/xml"])
        request.body = Array(body.utf8)
        let answer = try endpoint.send(request, call: call)
        guard answer.status == 207, let root = try? XMLParser.parse(answer.body) else {
            throw answer.status == 207
                ? BackendError(.io, "the server's answer about properties cannot be read: \(what)")
                : answer.failure("keeping the metadata of \(what)")
        }
        let statuses = root.all("response").flatMap { $0.all("propstat") }.compactMap { $0["status"]?.text }
        guard !statuses.isEmpty, statuses.allSatisfy({ $0.split(separator: " ").dropFirst().first?.first == "2" })
        else {
            throw BackendError(.unsupported, "the server keeps no properties: set properties to none")
        }
    }

    /// A condition as a field holds it.
    static func field(_ token: ByteString) -> String { token == "*" ? "*" : "\"\(token)\"" }
}
