// An upload session: parts that go up at once, and become a file in one step.

import CofferJSON
import CofferParts
import CofferPluginSDK
import CofferTransport

/// An upload session: unseen until it is published; what is left of one Dropbox drops after a week.
///
///     open ──append…──▶ open ──conclude──▶ closed ──publish──▶ a file
///
/// Each part carries its content hash, so that Dropbox refuses what was damaged on the way, before anything is published.
final class UploadSession {
    private let storage: DropboxStorage
    private let key: ByteString
    private let id: String
    /// What parts answer: the digests of their blocks.
    private let stream: PartedStream<[UInt8]>
    private var size: UInt64 = 0

    /// The most bytes on their way, if that is more than one part.
    private static let mostOnTheWay: UInt64 = 64 << 20

    /// Begins a session.
    init(_ storage: DropboxStorage, _ key: ByteString, call: Call) throws(BackendError) {
        self.storage = storage
        self.key = key
        let reply = try storage.send(
            [],
            "files/upload_session/start",
            ["close": false, "session_type": "concurrent"],
            "writing \(key)",
            call: call
        )
        guard let id = try reply.result("writing \(key)", key: key)["session_id"]?.stringValue else {
            throw BackendError(.io, "writing \(key): dropbox names no session")
        }
        self.id = id
        let part = storage.configuration.partSize
        stream = try PartedStream(
            lanes: max(1, min(storage.configuration.uploadConcurrency, Int(Self.mostOnTheWay / part))),
            mostParts: .max,
            sizeOfPart: { _ in part }
        ) { number, body, call throws(BackendError) in
            try storage.put(body, to: id, at: UInt64(number - 1) * part, isLast: false, of: key, call: call)
        }
    }

    /// Sends a whole part; waits while as many as may be are on their way.
    func append(_ part: [UInt8], call: Call) throws(BackendError) {
        size += UInt64(part.count)
        try stream.append(part.span.bytes, call: call)
    }

    /// Sends the rest and ends the session; answers the content hash of everything.
    func conclude(_ rest: [UInt8], call: Call) throws(BackendError) -> String {
        var digests = try stream.finish(call: call).flatMap { $0 }
        digests += try storage.put(rest, to: id, at: size, isLast: true, of: key, call: call)
        size += UInt64(rest.count)
        return ContentHash.hash(ofBlocks: digests)
    }

    /// Makes a file of it.
    func publish(_ commit: Commit, _ hash: String, isRepeatable: Bool, call: Call) throws(BackendError) -> Reply {
        let arguments: JSONValue = ["cursor": Self.cursor(id, size), "commit": .object(commit.argument)]
        let reply = try storage.send(
            [],
            "files/upload_session/finish",
            arguments,
            "writing \(key)",
            repetition: isRepeatable ? .always : .onlyUnsent,
            call: call
        )
        // A session that is gone may be the file already: the answer to an earlier attempt was lost.
        guard isRepeatable, case .refused(let refusal) = reply, refusal.says("lookup_failed"),
            let found = try storage.metadata(key, call: call), let told = FileFacts(found)?.hash,
            told.utf8.elementsEqual(hash.utf8)
        else { return reply }
        return .granted(found)
    }

    func close() { stream.close() }

    fileprivate static func cursor(_ id: String, _ offset: UInt64) -> JSONValue {
        ["session_id": .string(id), "offset": .integer(Int64(clamping: offset))]
    }
}

extension DropboxStorage {
    /// Puts bytes into a session; answers the digests of their blocks.
    fileprivate func put(
        _ body: [UInt8],
        to session: String,
        at offset: UInt64,
        isLast: Bool,
        of key: ByteString,
        call: Call
    ) throws(BackendError) -> [UInt8] {
        let digests = ContentHash.blocks(of: body)
        let arguments: JSONValue = [
            "cursor": UploadSession.cursor(session, offset), "close": .bool(isLast),
            "content_hash": .string(ContentHash.hash(ofBlocks: digests)),
        ]
        let reply = try send(body, "files/upload_session/append_v2", arguments, "writing \(key)", call: call)
        // Closed already: an earlier attempt's answer was lost. What is missing then, publishing tells.
        if case .refused(let refusal) = reply, isLast, refusal.says("closed") { return digests }
        _ = try reply.result("writing \(key)", key: key)
        return digests
    }

    /// What Dropbox tells of a file; nil where there is none.
    fileprivate func metadata(_ key: ByteString, call: Call) throws(BackendError) -> JSONValue? {
        let question: JSONValue = ["path": .string(try names.path(of: key))]
        guard case .granted(let found) = try ask("files/get_metadata", question, "looking at \(key)", call: call) else {
            return nil
        }
        return found
    }
}
