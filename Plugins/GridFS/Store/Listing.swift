// One listing: the names of `files` in their order, newest version each, a batch at a time.

import CofferPluginSDK
import GridFSModel

/// One listing.
///
/// A walk along the index of names and times, upwards: a version that replaces another stands behind it, so that nobody
/// who is there throughout is missed or met twice. Each batch is a query of its own from the last key on: nothing is held
/// on the server, and a key is token enough. Where keys share a part up to the delimiter, the next query begins behind all
/// of them.
final class Listing: ListStream {
    private let store: Store
    private let request: ListRequest
    /// The last key or prefix given: what follows is strictly greater.
    private var last: ByteString
    /// Where the next query begins.
    private var bound: Bound
    /// Fetched, not yet given: the newest version of each key.
    private var rows: ArraySlice<StoredFile> = []
    private var isAtEnd = false

    private enum Bound {
        case from([UInt8])
        case after([UInt8])
    }

    init(_ request: ListRequest, in store: Store) throws(BackendError) {
        self.request = request
        self.store = store
        last = request.token.isEmpty ? request.startAfter : request.token
        guard request.token.isEmpty || String(validating: request.token.bytes, as: UTF8.self) != nil else {
            throw BackendError(.invalidArgument, "the token is none of this store")
        }
        bound = .from([])
        bound = firstBound()
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        let patience = Patience(call)
        var given = 0
        try call.check()
        while given < limit {
            guard let file = rows.first else {
                if isAtEnd { return .end }
                try fetch(min(max(limit - given, 63), 999) + 1, patience)
                continue
            }
            guard let common = commonPrefix(of: file.key) else {
                rows.removeFirst()
                last = file.key
                try send(file, into: sink)
                given += 1
                continue
            }
            let isNew = common > last
            if isNew { last = common }
            skip(common)
            if isNew {
                try sink.sendPrefix(common)
                given += 1
            }
        }
        if rows.isEmpty && isAtEnd { return .end }
        return .more(token: last)
    }

    func close() { rows = [] }

    // MARK: Steps

    private func send(_ file: StoredFile, into sink: EntrySink) throws(BackendError) {
        if request.wantsMetadata {
            try sink.send(file.entry())
        } else {
            try sink.sendObject(
                key: file.key,
                size: Int64(file.length),
                modified: file.modified,
                created: file.uploadedNanoseconds,
                etag: file.etag
            )
        }
    }

    private func commonPrefix(of key: ByteString) -> ByteString? {
        KeyOrder.commonPrefix(of: key.bytes, behind: request.prefix.count, delimiter: request.delimiter.bytes)
            .map { ByteString($0) }
    }

    /// Leaves out all that starts with a prefix which was given already.
    private func skip(_ common: ByteString) {
        rows = rows.drop { $0.key.hasPrefix(common) }
        guard rows.isEmpty, !isAtEnd, let beyond = KeyOrder.successor(of: common.bytes) else { return }
        if case .from(let present) = bound, ByteString(present) > ByteString(beyond) { return }
        bound = .from(beyond)
    }

    private func firstBound() -> Bound {
        guard last.compare(request.prefix) >= 0 else { return .from(KeyOrder.front(of: request.prefix.bytes)) }
        if last.hasPrefix(request.prefix), let common = commonPrefix(of: last),
            let beyond = KeyOrder.successor(of: common.bytes)
        {
            return .from(beyond)
        }
        let front = KeyOrder.front(of: last.bytes)
        return front.count == last.count ? .after(front) : .from(front)
    }

    /// Asks for so many documents, which are at most as many keys.
    private func fetch(_ count: Int, _ patience: Patience) throws(BackendError) {
        let documents = try store.bucket.find(
            in: store.bucket.files,
            filter(),
            sort: [("filename", 1), ("uploadDate", 1)],
            only: request.wantsMetadata ? [] : Self.fields,
            limit: count,
            store.nearReads,
            patience
        )
        var newest: [StoredFile] = []
        for file in documents.lazy.compactMap({ StoredFile($0) }) {
            if newest.last?.key == file.key { newest.removeLast() }
            newest.append(file)
        }
        // A server may cut a batch of large documents short: that is not the end.
        isAtEnd = documents.count < count && documents.reduce(0) { $0 + $1.bytes.count } < Self.wholeBatch
        if !isAtEnd, let final = documents.last?["filename"]?.text.map({ ByteString($0) }) {
            // More versions of the last key may follow: it is asked for again, unless it is all there is.
            bound = .after(final.bytes)
            if newest.last?.key == final {
                newest.removeLast()
                if !newest.isEmpty {
                    bound = .from(final.bytes)
                } else if let file = try store.newest(final, store.nearReads, patience) {
                    newest.append(file)
                }
            }
        }
        let first = newest.firstIndex { $0.key > last } ?? newest.endIndex
        rows = newest[first...].prefix { $0.key.hasPrefix(request.prefix) }
        if rows.count < newest.count - first {
            // What does not start with the prefix lies behind it, or in front of it if the prefix is not UTF-8.
            rows = newest[first...].filter { $0.key.hasPrefix(request.prefix) }[...]
            if let key = newest.last?.key, !key.hasPrefix(request.prefix), key > request.prefix { isAtEnd = true }
        }
    }

    /// A batch of fewer bytes was not cut short: servers cut at sixteen MiB.
    private static let wholeBatch = 8 << 20

    private static let fields = [
        "filename", "length", "chunkSize", "uploadDate", "coffer.revision", "coffer.modified",
    ]

    private func filter() -> Document {
        .make { filter in
            filter.append("filename") { range in
                switch bound {
                case .from(let bytes): range.append("$gte", .string(bytes))
                case .after(let bytes): range.append("$gt", .string(bytes))
                }
                if !request.prefix.isEmpty, let beyond = KeyOrder.successor(of: request.prefix.bytes) {
                    range.append("$lt", .string(beyond))
                }
            }
        }
    }
}
