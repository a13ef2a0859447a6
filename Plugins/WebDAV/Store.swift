// The files behind the keys: looking.

import CofferPluginSDK
import CofferTransport
import CofferXML

/// The files behind the keys of one instance.
///
/// 1. A folder is never removed, moved or replaced: what is under a key is looked at before anything that would take a
///    folder along with all below it.
/// 2. What is not published lies in `.coffer` at the root, each attempt under its own name.
final class Store: Sendable {
    let settings: Settings
    let names: Names
    let endpoint: HTTPEndpoint
    let folders = Folders()
    let replacements = Replacements()
    let moments = Moments()

    init(_ settings: Settings, _ endpoint: HTTPEndpoint) {
        self.settings = settings
        self.endpoint = endpoint
        names = Names(settings)
    }

    /// Whether the server lets us look, and what it says of itself.
    func health(_ call: Call) throws(BackendError) -> Properties {
        let request = HTTPRequest("OPTIONS", settings.location.target)
        let answer = try endpoint.send(request, call: call)
        guard answer.head.isSuccess else { throw answer.failure("asking the endpoint for its abilities") }
        guard try look(settings.location.target, "the endpoint", call) != nil else {
            throw BackendError(.notFound, "the endpoint does not exist: \(settings.location)")
        }
        var facts = Properties()
        facts["dav"] = answer.head.headers.values("dav").joined(separator: ", ")
        facts["server"] = answer.head.headers["server"]
        return facts
    }

    /// The file or folder at a path; nil where there is none.
    func look(_ path: String, _ what: @autoclosure () -> String, _ call: Call) throws(BackendError) -> Resource? {
        try propfind(path, depth: "0", what(), call)?.first
    }

    /// Everything known of an object.
    func entry(of key: ByteString, _ call: Call) throws(BackendError) -> Entry { try object(key, call).entry(key) }

    /// The file of an object; a folder is none.
    func object(_ key: ByteString, _ call: Call) throws(BackendError) -> Resource {
        try replacements.looking(key, call) { () throws(BackendError) in try file(key, call) }
    }

    private func file(_ key: ByteString, _ call: Call) throws(BackendError) -> Resource {
        let path = try names.path(of: key)
        guard var found = try look(path, "\(key)", call), !found.isFolder else { throw .notFound(key) }
        guard found.tag.isEmpty else { return found }
        // nginx tells no tag among the properties, but with the file.
        let answer = try endpoint.send(HTTPRequest("HEAD", path), call: call)
        guard answer.head.isSuccess else {
            throw answer.status == 404 ? .notFound(key) : answer.failure("looking at \(key)")
        }
        found.tag = Resource.token(answer.head.entityTag)
        if let length = answer.head.headers["content-length"].flatMap({ Int64($0) }) { found.size = length }
        found.modified = answer.head.lastModified ?? found.modified
        return found
    }

    /// The members of a folder; nil where it is none.
    func members(of folder: [UInt8], _ call: Call) throws(BackendError) -> [Resource]? {
        try propfind(names.folder(folder), depth: "1", String(decoding: folder, as: UTF8.self), call)
    }

    /// Asks for properties; nil where nothing is.
    ///
    /// An answer that breaks off is asked for again.
    private func propfind(
        _ path: String,
        depth: String,
        _ what: String,
        _ call: Call
    ) throws(BackendError) -> [Resource]? {
        var request = HTTPRequest("PROPFIND", path, headers: ["Depth": depth, "Content-Type": "application/xml"])
        request.body = Multistatus.question(withDocument: settings.keepsProperties && depth == "0")
        request.redirects = .follow(limit: 3)
        var attempt = 1
        while true {
            do throws(BackendError) {
                return try readMultistatus(request, what, call)
            } catch {
                // Statuses were repeated already; what broke off in the midst was not.
                guard error.isRetryable, attempt < 4, error.native == 0, !call.isLate, !call.isCancelled else {
                    throw error
                }
                attempt += 1
            }
        }
    }

    private func readMultistatus(
        _ request: HTTPRequest,
        _ what: String,
        _ call: Call
    ) throws(BackendError) -> [Resource]? {
        let response = try endpoint.open(request, call: call)
        defer { response.close() }
        switch response.head.status {
        case 207: break
        // Below a file there is nothing: Apache says so with 400.
        case 400, 404, 410: return nil
        default: throw response.head.failure("looking at \(what)")
        }
        let reader = Multistatus()
        var limits = XMLLimits()
        limits.bytes = 1 << 30
        limits.elements = 50_000_000
        let parser = XMLParser(limits: limits) { (event) throws(XMLError) in reader.take(event) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var span = buffer.mutableSpan
            var bytes = span.mutableBytes
            let count = try response.read(into: &bytes, call: call)
            do throws(XMLError) {
                if count == 0 {
                    try parser.finish()
                    return reader.resources
                }
                try parser.feed(buffer.span.bytes.extracting(0..<count))
            } catch {
                // Some break a listing off where a file vanishes: the next one is whole.
                let message = "the server's answer about \(what) cannot be read: \(error)"
                throw BackendError(.io, message, isRetryable: true)
            }
        }
    }
}
