// The backend that keeps objects as files in Dropbox.

import CofferJSON
package import CofferPluginSDK
import CofferTransport

/// Objects as files in Dropbox, over its HTTP API.
package final class DropboxStorage: StorageBackend {
    let configuration: Configuration
    let names: Names
    let api: HTTPEndpoint
    let content: HTTPEndpoint
    private let tokens: TokenSource
    package let traits: Traits

    /// The largest file that Dropbox takes.
    private static let largest: UInt64 = 1 << 41 - 1 << 22
    /// How long links live, in seconds.
    static let lifeOfLinks: UInt64 = 14_400

    package init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        configuration = try Configuration(options)
        names = configuration.names
        tokens = TokenSource(configuration, host: host)
        api = HTTPEndpoint(configuration.api, settings: configuration.settings, signer: tokens)
        content = HTTPEndpoint(configuration.content, settings: configuration.settings, signer: tokens)
        var limits = Traits.Limits()
        limits.maxObject = Self.largest
        limits.preferredPart = configuration.partSize
        limits.maxKey = 1024
        limits.maxBatch = 1000
        limits.maxPresignSeconds = Self.lifeOfLinks
        traits = Traits(native: Self.description.capabilities, limits: limits)
    }

    package func health(call: Call) throws(BackendError) -> Properties {
        let question: JSONValue = ["path": .string(names.root), "limit": 1]
        let reply = try ask("files/list_folder", question, "looking at the folder", call: call)
        // The folder comes with the first object.
        if case .refused(let refusal) = reply, !refusal.says("not_found") {
            throw refusal.error("looking at the folder \(names.root)")
        }
        return ["api": configuration.api.description, "root": names.root.isEmpty ? "/" : names.root]
    }

    package func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        guard let facts = try look(request.key, call: call) else { throw absent(request) }
        try request.conditions.checkRead(request.key, etag: facts.etag)
        return facts.entry(request.key)
    }

    package func close() {
        api.close()
        content.close()
        tokens.close()
    }

    /// What is known of an object; nil where there is none.
    func look(_ key: ByteString, call: Call) throws(BackendError) -> FileFacts? {
        switch try ask(
            "files/get_metadata",
            ["path": .string(try names.path(of: key))],
            "looking at \(key)",
            call: call
        ) {
        case .granted(let metadata): return FileFacts(metadata)
        case .refused(let refusal):
            if refusal.isAbsence { return nil }
            throw refusal.error("looking at \(key)", key: key)
        }
    }

    /// The error for an object that is not there.
    func absent(_ request: ReadRequest) -> BackendError {
        request.conditions.ifMatch.isEmpty
            ? .notFound(request.key) : BackendError(.precondition, "no such object: \(request.key)", native: 409)
    }
}

/// What Dropbox answers to a call.
enum Reply {
    /// What was asked for.
    case granted(JSONValue)
    /// Why not, in the words of that call.
    case refused(Refusal)

    /// What was asked for, or the error.
    func result(_ doing: @autoclosure () -> String, key: ByteString? = nil) throws(BackendError) -> JSONValue {
        switch self {
        case .granted(let value): return value
        case .refused(let refusal): throw refusal.error(doing(), key: key)
        }
    }
}

// Sending calls.
extension DropboxStorage {
    /// Makes a call that carries no bytes of files.
    func ask(
        _ route: String,
        _ arguments: JSONValue,
        _ doing: @autoclosure () -> String,
        repetition: HTTPRequest.Repetition = .always,
        call: Call
    ) throws(BackendError) -> Reply {
        try deliver(question(route, arguments, repetition: repetition), to: api, doing(), call: call)
    }

    /// A call that carries no bytes of files.
    func question(
        _ route: String,
        _ arguments: JSONValue,
        repetition: HTTPRequest.Repetition = .always
    ) -> HTTPRequest {
        var request = HTTPRequest("POST", "/2/\(route)", body: arguments.bytes())
        request.headers["Content-Type"] = "application/json"
        request.headers["Dropbox-API-Path-Root"] = pathRoot
        request.repetition = repetition
        // A full page of long paths is larger than most answers.
        request.answerLimit = 64 << 20
        return request
    }

    /// Sends bytes of a file.
    func send(
        _ body: [UInt8],
        _ route: String,
        _ arguments: JSONValue,
        _ doing: @autoclosure () -> String,
        repetition: HTTPRequest.Repetition = .always,
        call: Call
    ) throws(BackendError) -> Reply {
        var request = HTTPRequest("POST", "/2/\(route)", body: body)
        request.headers["Content-Type"] = "application/octet-stream"
        request.headers["Dropbox-API-Arg"] = arguments.asciiText
        request.headers["Dropbox-API-Path-Root"] = pathRoot
        request.repetition = repetition
        return try deliver(request, to: content, doing(), call: call)
    }

    /// The namespace that paths begin in, as a header says it.
    var pathRoot: String? {
        configuration.namespace.map { id in
            JSONValue.object(
                JSONObject([
                    .init(name: ".tag", value: "namespace_id"), .init(name: "namespace_id", value: .string(id)),
                ])
            ).asciiText
        }
    }

    /// Sends a call, again where others change the account at this moment.
    private func deliver(
        _ request: HTTPRequest,
        to endpoint: HTTPEndpoint,
        _ doing: @autoclosure () -> String,
        call: Call
    ) throws(BackendError) -> Reply {
        var turns = 1
        while true {
            let answer = try endpoint.send(request, call: call)
            if answer.head.isSuccess {
                do throws(JSONError) {
                    return .granted(try JSONValue(parsing: answer.body))
                } catch {
                    throw BackendError(.io, "\(doing()): the answer of dropbox is no JSON", isRetryable: true)
                }
            }
            let refusal = Refusal(answer)
            guard answer.status == 409 else { throw refusal.error(doing()) }
            // Dropbox says this with the words of the call too, and did nothing then.
            guard refusal.isContention, turns < endpoint.settings.retries.attempts else { return .refused(refusal) }
            let longest = min(UInt64(100) << UInt64(min(turns, 7)), 10_000)
            try call.sleep(nanoseconds: .random(in: longest / 2...longest) * 1_000_000)
            turns += 1
        }
    }
}
