// The three collections of a storage, and the commands that they take.

import CGridFS
import CofferPluginSDK
import GridFSModel

/// The three collections of a storage.
///
/// `BUCKET.files` and `BUCKET.chunks` are those of GridFS, and other programs may use them at the same time.
/// `BUCKET.coffer` is ours: claims on keys that are just being changed, and chunks that are nobody's yet or no longer.
/// Right is only what `_id` enforces, so that nothing depends on an index that somebody may have dropped.
final class Bucket: Sendable {
    let server: Server
    let files: String
    let chunks: String
    let own: String
    private let isReady = Guarded(false)
    private let copying = Guarded(true)

    /// The collections with a prefix.
    init(_ name: String, on server: Server) {
        self.server = server
        files = name + ".files"
        chunks = name + ".chunks"
        own = name + ".coffer"
    }

    /// Whether collections may begin so: the longest name is 255 bytes with its database.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 180 && !name.utf8.contains(0) && !name.utf8.contains(0x24)
            && !name.utf8.starts(with: "system.".utf8) && name.utf8.first != 0x2E
    }

    /// The collections with a prefix that somebody wants.
    convenience init(named name: ByteString, on server: Server) throws(BackendError) {
        guard let text = String(validating: name.bytes, as: UTF8.self), Self.isName(text) else {
            throw BackendError(.invalidArgument, "no collection may be called so: \(name)")
        }
        self.init(text, on: server)
    }

    /// Makes the indexes that GridFS asks for, once.
    func prepare(_ patience: Patience) throws(BackendError) {
        guard !isReady.withLock({ $0 }) else { return }
        try makeIndex(on: files, [("filename", 1), ("uploadDate", 1)], isUnique: false, patience)
        try makeIndex(on: chunks, [("files_id", 1), ("n", 1)], isUnique: true, patience)
        isReady.withLock { $0 = true }
    }

    private func makeIndex(
        on collection: String,
        _ fields: [(String, Int32)],
        isUnique: Bool,
        _ patience: Patience
    ) throws(BackendError) {
        let index = Document.make { index in
            index.append("key") { key in for (name, order) in fields { key.append(name, order) } }
            index.append("name", fields.map { "\($0.0)_\($0.1)" }.joined(separator: "_"))
            if isUnique { index.append("unique", true) }
        }
        let command = Document.make {
            $0.append("createIndexes", collection)
            $0.append("indexes", array: [.document(index)])
        }
        do throws(BackendError) {
            _ = try server.run(command, .write, patience)
        } catch {
            // Without the right to make one, or beside one of another kind, all works, but slower.
            guard error.native == ServerCode.notPermitted || ServerCode.indexConflicts.contains(error.native) else {
                throw error
            }
        }
    }

    /// Whether the server is thought to copy chunks by itself.
    var copiesInside: Bool {
        get { copying.withLock { $0 } }
        set { copying.withLock { $0 = newValue } }
    }

    /// A document that has no name: an upload whose commit is under way, or was cut off.
    static func hidden(_ id: Value) -> Document {
        .make {
            $0.append("_id", id)
            $0.append("filename", .null)
        }
    }

    // MARK: Commands

    /// The documents of a first batch; a collection that does not exist has none.
    func find(
        in collection: String,
        _ filter: Document,
        sort: [(String, Int32)] = [],
        only fields: [String] = [],
        limit: Int,
        _ manner: Server.Manner,
        _ patience: Patience
    ) throws(BackendError) -> [Document] {
        let command = Document.make { command in
            command.append("find", collection)
            command.append("filter", filter)
            if !sort.isEmpty { command.append("sort") { for (name, order) in sort { $0.append(name, order) } } }
            if !fields.isEmpty { command.append("projection") { for name in fields { $0.append(name, Int32(1)) } } }
            command.append("limit", limit)
            command.append("batchSize", limit)
            command.append("singleBatch", true)
        }
        let reply = try server.run(command, manner, patience)
        guard case .array(let batch) = reply["cursor"]?.fields?["firstBatch"] else {
            throw BackendError(.corrupt, "the server's answer to find has no documents")
        }
        return batch.compactMap(\.value.fields)
    }

    /// Inserts documents; `alreadyExists` if one of the identifiers is taken.
    func insert(_ documents: [Document], into collection: String, _ patience: Patience) throws(BackendError) {
        let command = Document.make {
            $0.append("insert", collection)
            $0.append("documents", array: documents.map { .document($0) })
        }
        _ = try server.run(command, .write, patience)
    }

    /// Changes one document; whether there was one.
    func update(
        in collection: String,
        _ filter: Document,
        _ change: Document,
        _ patience: Patience,
        manner: Server.Manner = .write
    ) throws(BackendError) -> Bool {
        let statement = Document.make {
            $0.append("q", filter)
            $0.append("u", change)
        }
        let command = Document.make {
            $0.append("update", collection)
            $0.append("updates", array: [.document(statement)])
        }
        return try server.run(command, manner, patience)["n"]?.integer ?? 0 > 0
    }

    /// Deletes what each filter matches, one after another; how many documents went.
    @discardableResult
    func delete(
        from collection: String,
        _ filters: [Document],
        all: Bool = false,
        _ patience: Patience,
        manner: Server.Manner = .write
    ) throws(BackendError) -> Int64 {
        guard !filters.isEmpty else { return 0 }
        let command = Document.make { command in
            command.append("delete", collection)
            command.append(
                "deletes",
                array: filters.map { filter in
                    .document(
                        .make {
                            $0.append("q", filter)
                            $0.append("limit", Int32(all ? 0 : 1))
                        }
                    )
                }
            )
        }
        return try server.run(command, manner, patience)["n"]?.integer ?? 0
    }
}

extension Document {
    /// A filter on one field.
    static func whose(_ name: String, is value: Value) -> Document { .make { $0.append(name, value) } }
    static func whose(_ name: String, is key: ByteString) -> Document { whose(name, is: .string(key.bytes)) }
}

/// An identifier that nobody else has.
func makeID() -> ObjectID {
    let bytes = [UInt8](unsafeUninitializedCapacity: 12) { buffer, filled in
        gridfs_make_id(buffer.baseAddress)
        filled = 12
    }
    guard let id = ObjectID(bytes) else { fatalError("twelve bytes make an identifier") }
    return id
}

/// The time of day in milliseconds, as GridFS has it.
func wallMilliseconds() -> Int64 { wallClock() / 1_000_000 }
