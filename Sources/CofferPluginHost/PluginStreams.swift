import CCofferPlugin
import CofferBackend
import CofferLoader
import CofferModel
import CofferSystem

/// A read of a plugin, which must give exactly the bytes that it promised.
///
/// Unchecked because no two calls on one stream overlap, which the port promises.
final class PluginReadStream: ReadStream, @unchecked Sendable {
    private let handle: ReadHandle
    private let backend: PluginBackend
    private let key: Key
    private var left: Int64

    init(_ handle: ReadHandle, _ backend: PluginBackend, _ key: Key, length: Int64) {
        self.handle = handle
        self.backend = backend
        self.key = key
        left = length
    }

    func read(into buffer: inout MutableRawSpan, _ call: Call) throws(CofferError) -> Int {
        guard buffer.byteCount > 0 else { return 0 }
        return try backend.telling(key) { () throws(PluginError) in
            let got = try call.withABI { (call) throws(PluginError) in
                try buffer.withUnsafeMutableBytes { (bytes) throws(PluginError) in
                    try handle.read(call, into: bytes)
                }
            }
            guard got > 0 || left == 0 else {
                throw PluginError(COFFER_E_CORRUPT, "the store ended \(left) bytes before the object did")
            }
            guard Int64(got) <= left else { throw .broken("the plugin read more bytes than it promised") }
            left -= Int64(got)
            return got
        }
    }

    func close() { handle.close() }
}

/// A write of a plugin.
final class PluginWriteStream: WriteStream {
    private let handle: WriteHandle
    private let backend: PluginBackend
    private let key: Key

    init(_ handle: WriteHandle, _ backend: PluginBackend, _ key: Key) {
        self.handle = handle
        self.backend = backend
        self.key = key
    }

    func append(_ bytes: RawSpan, _ call: Call) throws(CofferError) {
        guard bytes.byteCount > 0 else { return }
        try backend.telling(key) { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                try bytes.withUnsafeBytes { (bytes) throws(PluginError) in try handle.append(call, bytes) }
            }
        }
    }

    func ingest(_ file: Descriptor, offset: Int64, length: Int64, _ call: Call) throws(CofferError) -> Bool {
        guard backend.instance.native.has(COFFER_CAP_WRITE_INGEST) else { return false }
        guard offset >= 0, length >= 0, !offset.addingReportingOverflow(length).overflow else {
            throw CofferError(.invalidArgument, "the range of the file has no sense", key: key)
        }
        return try backend.telling(key) { () throws(PluginError) in
            var done: Int64 = 0
            while done < length {
                let taken: UInt64
                do throws(PluginError) {
                    taken = try call.withABI { (call) throws(PluginError) in
                        try handle.ingest(
                            call,
                            file.number,
                            offset: offset + done,
                            length: UInt64(length - done)
                        )
                    }
                } catch  where error.status == COFFER_E_UNSUPPORTED && done == 0 {
                    return false
                }
                guard taken > 0 else { throw PluginError(COFFER_E_CORRUPT, "the file ended at \(offset + done)") }
                done += Int64(taken)
            }
            return true
        }
    }

    func commit(_ checksums: [Checksum], _ call: Call) throws(CofferError) -> ObjectInfo {
        var sink = ObjectSink(key)
        return try backend.telling(key) { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                try withTexts(capacity: roomFor(checksums)) { (texts) throws(PluginError) in
                    let kept = kept(checksums, &texts)
                    try kept.withUnsafeBufferPointer { (kept) throws(PluginError) in
                        var arguments = coffer_commit_args()
                        arguments.struct_size = UInt32(MemoryLayout<coffer_commit_args>.size)
                        arguments.n_checksums = kept.count
                        arguments.checksums = kept.baseAddress
                        do throws(PluginError) {
                            try withSink(&sink) { (to) throws(PluginError) in
                                try handle.commit(call, &arguments, to)
                            }
                        } catch {
                            guard error.status == PluginError.brokenRule else { throw error }
                            throw .broken(error.message, isMaybeApplied: true)
                        }
                    }
                }
            }
            return try sink.object(isMaybeApplied: true)
        }
    }

    func close() { handle.close() }
}

/// A listing of a plugin.
///
/// Unchecked because no two calls on one stream overlap, which the port promises.
final class PluginListStream: ListStream, @unchecked Sendable {
    private let handle: ListHandle
    private let backend: PluginBackend
    private var order: ListOrder?
    private(set) var resumeToken: String?

    init(_ handle: ListHandle, _ backend: PluginBackend) {
        self.handle = handle
        self.backend = backend
        order = backend.instance.native.has(COFFER_CAP_LIST_SORTED) ? ListOrder() : nil
    }

    func next(into batch: inout ListBatch, limit: Int, _ call: Call) throws(CofferError) -> Bool {
        guard limit > 0 else { throw CofferError(.invalidArgument, "a page has at least one entry") }
        let (records, bytes) = (batch.records.count, batch.bytes.count)
        do throws(CofferError) {
            return try backend.telling { () throws(PluginError) in
                try withUnsafeMutablePointer(to: &batch) { (batch) throws(PluginError) in
                    var sink = ListSink(batch, limit: limit, order: order)
                    let hasMore = try call.withABI { (call) throws(PluginError) in
                        try withSink(&sink) { (to) throws(PluginError) in
                            try handle.next(call, limit: UInt64(limit), to)
                        }
                    }
                    resumeToken = hasMore ? sink.token : nil
                    order = sink.nextOrder
                    return hasMore
                }
            }
        } catch {
            batch.records.removeSubrange(records...)
            batch.bytes.removeSubrange(bytes...)
            throw error
        }
    }

    func close() { handle.close() }
}

extension PluginBackend {
    func openList(_ query: ListQuery, _ call: Call) throws(CofferError) -> any ListStream {
        try require(COFFER_CAP_LIST)
        if !query.delimiter.isEmpty { try require(COFFER_CAP_LIST_DELIMITER) }
        if !query.startAfter.isEmpty && query.resumeToken == nil { try require(COFFER_CAP_LIST_AFTER) }
        let handle = try telling { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                let capacity =
                    room(query.prefix) + room(query.delimiter) + room(query.startAfter) + room(query.resumeToken)
                return try withTexts(capacity: capacity) { (texts) throws(PluginError) in
                    var arguments = coffer_list_args()
                    arguments.struct_size = UInt32(MemoryLayout<coffer_list_args>.size)
                    arguments.flags = query.wantsMetadata ? COFFER_LIST_WANT_META : 0
                    arguments.prefix = texts.keep(query.prefix)
                    arguments.delimiter = texts.keep(query.delimiter)
                    arguments.start_after = texts.keep(query.resumeToken == nil ? query.startAfter : "")
                    arguments.token = texts.keep(query.resumeToken)
                    return try instance.openList(call, &arguments)
                }
            }
        }
        return PluginListStream(handle, self)
    }
}
