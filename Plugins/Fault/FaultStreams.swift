// Streams with the faults of a plan.

import CofferPluginSDK
import MemoryStore

extension ReadAnswer {
    /// Ends a read that nobody will take; the store in memory answers with streams alone.
    func discard() {
        if case .stream(let stream) = body { stream.close() }
    }
}

/// A read that may be short, end early, stall or fail.
final class FaultReadStream: ReadStream {
    private let stream: any ReadStream
    private let key: ByteString
    private let faults: FaultInjector

    init(_ stream: any ReadStream, of key: ByteString, _ faults: FaultInjector) {
        self.stream = stream
        self.key = key
        self.faults = faults
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        try faults.delay(call)
        switch faults.plan.next(.read, key: key) {
        case .error(let error):
            throw error
        case .stall(let nanoseconds):
            try call.sleep(nanoseconds: nanoseconds)
        case .shortRead:
            return try buffer.withUnsafeMutableBytes { all throws(BackendError) in
                var part = UnsafeMutableRawBufferPointer(rebasing: all.prefix(max(1, all.count / 3))).mutableBytes
                return try stream.read(into: &part, call: call)
            }
        case .earlyEnd:
            return 0
        case .lostAnswer:
            // The bytes are gone from the stream, and the reader never saw them.
            _ = try stream.read(into: &buffer, call: call)
            throw FaultInjector.lost
        case .duplicate, .noSpace, nil:
            break
        }
        return try stream.read(into: &buffer, call: call)
    }

    func close() { stream.close() }
}

/// A read that sees whatever is under the key at each step, as a store without pinned reads does.
final class UnpinnedReadStream: ReadStream {
    private let key: ByteString
    private let store: MemoryStore
    private var left: Range<UInt64>

    init(_ key: ByteString, _ range: Range<UInt64>, in store: MemoryStore) {
        self.key = key
        self.store = store
        left = range
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        guard !left.isEmpty else { return 0 }
        var request = ReadRequest(key)
        request.range = .slice(offset: left.lowerBound, length: UInt64(left.count))
        guard case .stream(let stream) = try store.openRead(request).body else { return 0 }
        defer { stream.close() }
        let count = try stream.read(into: &buffer, call: call)
        left = (left.lowerBound + UInt64(count))..<left.upperBound
        return count
    }

    func close() {}
}

/// A write that may run out of space, stall, fail, lose its answer or come twice.
final class FaultWriteStream: WriteStream {
    private let stream: any WriteStream
    private let key: ByteString
    private let faults: FaultInjector
    private let keepsChecksums: Bool
    private var written: UInt64 = 0

    init(_ stream: any WriteStream, of key: ByteString, _ faults: FaultInjector, keepsChecksums: Bool) {
        self.stream = stream
        self.key = key
        self.faults = faults
        self.keepsChecksums = keepsChecksums
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        try faults.delay(call)
        written += UInt64(bytes.byteCount)
        try fail(call)
        try stream.append(bytes, call: call)
    }

    func ingest(descriptor: Int32, offset: UInt64?, length: UInt64, call: Call) throws(BackendError) -> UInt64 {
        try faults.delay(call)
        let taken = try stream.ingest(descriptor: descriptor, offset: offset, length: length, call: call)
        written += taken
        try fail(call)
        return taken
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        var entry = try faults.around(.writeCommit, key, call) { () throws(BackendError) in
            try stream.commit(checksums: checksums, call: call)
        }
        if !keepsChecksums { entry.checksums = [] }
        return entry
    }

    func close() { stream.close() }

    private func fail(_ call: Call) throws(BackendError) {
        switch faults.plan.next(.writeAppend, key: key, written: written) {
        case .error(let error): throw error
        case .stall(let nanoseconds): try call.sleep(nanoseconds: nanoseconds)
        case .lostAnswer: throw FaultInjector.lost
        case .noSpace(let limit): throw BackendError(.noSpace, "no space after \(limit) bytes: \(key)")
        case .duplicate, .shortRead, .earlyEnd, nil: break
        }
    }
}

/// A listing that may stall or fail.
final class FaultListStream: ListStream {
    private let stream: any ListStream
    private let prefix: ByteString
    private let faults: FaultInjector

    init(_ stream: any ListStream, of prefix: ByteString, _ faults: FaultInjector) {
        self.stream = stream
        self.prefix = prefix
        self.faults = faults
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        // A page done twice would send its entries twice, which no rule asks for.
        try faults.around(.listNext, prefix, call, isRepeatable: false) { () throws(BackendError) in
            try stream.next(limit: limit, into: sink, call: call)
        }
    }

    func close() { stream.close() }
}

/// A listing in an order of its own, as a store that is not sorted gives; it cannot be resumed.
final class ShuffledListStream: ListStream {
    private let entries: [Entry]
    private var at = 0

    init(_ entries: [Entry], seed: UInt64) {
        var random = SplitMix(state: seed)
        self.entries = entries.shuffled(using: &random)
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        let end = at + min(limit, entries.count - at)
        for entry in entries[at..<end] { try sink.send(entry) }
        at = end
        return at == entries.count ? .end : .more(token: .empty)
    }

    func close() {}
}
