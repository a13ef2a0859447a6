// One database of one deployment: commands go in, documents come out.

import CGridFS
import CofferPluginSDK
import GridFSModel

/// One database of one deployment.
final class Server: @unchecked Sendable {  // The C store may be used on any thread; the rest never changes.
    /// Where a command runs, and what it waits for.
    enum Manner: Int32 {
        /// Reads what was written last.
        case read = 0
        /// Reads where the operator prefers.
        case readNear = 1
        /// Writes.
        case write = 2
        /// Writes, and waits until that survives a crash of the server.
        case writeDurably = 3
    }

    private let store: OpaquePointer
    private let hasUser: Bool
    let database: String
    /// Whether a durable write is one.
    let isDurable: Bool
    /// Whether reads may lag behind writes.
    let readsElsewhere: Bool

    /// Takes over the store.
    init(_ store: OpaquePointer, database: String) {
        self.store = store
        self.database = database
        isDurable = gridfs_store_is_durable(store)
        hasUser = gridfs_store_has_user(store)
        readsElsewhere = gridfs_store_reads_elsewhere(store)
    }

    deinit { gridfs_store_close(store) }

    /// Runs a command whose answer is small.
    func run(_ command: Document, _ manner: Manner, _ patience: Patience) throws(BackendError) -> Document {
        try run(command.bytes, manner, patience).document()
    }

    /// Runs a command, given as the bytes of its document.
    func run(_ command: [UInt8], _ manner: Manner, _ patience: Patience) throws(BackendError) -> Reply {
        var failure = gridfs_failure()
        var answer: OpaquePointer?
        let isDone = patience.withC { patience in
            gridfs_run(store, database, command, command.count, manner.rawValue, patience, &answer, &failure)
        }
        guard isDone, let answer else {
            throw BackendError(failure, isWrite: manner == .write || manner == .writeDurably, hasUser: hasUser)
        }
        let reply = Reply(answer)
        if manner == .write || manner == .writeDurably { try refuseWriteErrors(try reply.document()) }
        return reply
    }

    /// A write may fail inside an answer that says ok.
    private func refuseWriteErrors(_ reply: Document) throws(BackendError) {
        let failed =
            if case .array(let errors) = reply["writeErrors"] {
                errors.map(\.value).first?.fields
            } else {
                reply["writeConcernError"]?.fields
            }
        guard let failed else { return }
        let code = Int32(clamping: failed["code"]?.integer ?? 0)
        let text = String(decoding: failed["errmsg"]?.text ?? [], as: UTF8.self)
        throw .server(code, text, hasUser: hasUser)
    }
}

/// What the server answered; its bytes stay where libmongoc put them.
final class Reply: @unchecked Sendable {  // It never changes.
    private let reply: OpaquePointer

    /// Takes over a reply.
    init(_ reply: OpaquePointer) { self.reply = reply }

    deinit { gridfs_reply_free(reply) }

    /// All of it, copied.
    func document() throws(BackendError) -> Document {
        var length = 0
        let start = gridfs_reply_bytes(reply, &length)
        guard let document = Document(UnsafeBufferPointer(start: start, count: length)) else {
            throw BackendError(.corrupt, "the server's answer is no document")
        }
        return document
    }

    /// The chunks in its first batch, up to `most`; they live as long as this reply.
    func chunks(most: Int) throws(BackendError) -> [gridfs_chunk] {
        var count: Int64 = 0
        let chunks = [gridfs_chunk](unsafeUninitializedCapacity: most) { buffer, filled in
            count = gridfs_reply_chunks(reply, buffer.baseAddress, most)
            filled = max(0, Int(count))
        }
        guard count >= 0 else { throw BackendError(.corrupt, "a document among the chunks is no chunk") }
        return chunks
    }
}
