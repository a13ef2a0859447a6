// An object store in memory: what `memory` and `fault` share.

package import CofferPluginSDK
import Synchronization

/// An object store in memory, bounded, and native in everything that memory can do.
///
/// 1. An object's version never changes once it is published; a reader holds the one it began with.
/// 2. The map is touched only under `lock`, and never while the host's code runs.
/// 3. `used` counts the bytes of published objects, of parts, and of writes that are under way.
// Unchecked because `objects` and `uploads` are reached under `lock` alone; everything else is constant or atomic.
package final class MemoryStore: @unchecked Sendable {
    /// What this store does itself.
    package static let native: Capabilities = [
        .stat, .read, .readRange, .readPinned, .readCondition, .write, .writeIngest, .atomicReplace, .createIfAbsent,
        .ifMatch, .remove, .removeIfMatch, .removeBatch, .list, .listDelimiter, .listAfter, .listSorted, .copy,
        .copyCondition, .copyMetadata, .move, .contentType, .contentProperties, .userMetadata, .modificationTime,
        .checksum, .usage, .resume,
    ]

    /// The option that bounds it.
    package static let sizeOption = OptionDescription(
        "size",
        .size,
        "The most bytes that all objects together may have; 0 is no bound.",
        default: "0",
        bounds: 0...Int64.max
    )

    let lock = ReadWriteLock()
    var objects = SortedObjects()
    var uploads = Uploads()
    let tags = TagMaker()
    private let capacity: UInt64
    private let used = Atomic<UInt64>(0)

    /// A store of at most `capacity` bytes; 0 is no bound.
    package init(capacity: UInt64) { self.capacity = capacity }

    /// What holds for it.
    package var traits: Traits {
        var limits = Traits.Limits()
        limits.maxKey = 1024
        limits.maxObject = capacity
        limits.maxParts = UInt64(Uploads.mostParts)
        return Traits(native: Self.native, limits: limits)
    }

    package func stat(_ request: ReadRequest) throws(BackendError) -> Entry {
        let entry = tags.entry(of: try object(at: request.key))
        try request.conditions.checkRead(request.key, etag: entry.etag)
        return entry
    }

    package func openRead(_ request: ReadRequest) throws(BackendError) -> ReadAnswer {
        let object = try object(at: request.key)
        let entry = tags.entry(of: object)
        try request.conditions.checkRead(request.key, etag: entry.etag)
        let range = try request.range.resolve(size: object.size)
        return ReadAnswer(entry: entry, range: range, body: .stream(MemoryReadStream(object.body, range)))
    }

    package func beginWrite(_ request: WriteRequest) throws(BackendError) -> any WriteStream {
        try lock.reading { () throws(BackendError) in try check(request.conditions, at: request.key) }
        try checkRoom(request.size)
        return MemoryWriteStream(request, in: self)
    }

    /// Refuses an announced size for which there is no room now.
    func checkRoom(_ size: UInt64?) throws(BackendError) {
        if let size, capacity > 0, size > capacity - min(capacity, used.load(ordering: .relaxed)) { throw full }
    }

    package func remove(_ request: RemoveRequest) throws(BackendError) {
        // Freed after the lock: a large body takes a while.
        let removed = try lock.writing { () throws(BackendError) in
            guard try request.check(existing: tag(at: request.key)) else { return nil as StoredObject? }
            return objects.remove(request.key)
        }
        if let removed { release(removed.size) }
    }

    package func removeBatch(
        _ requests: [RemoveRequest],
        results: BatchResults,
        call: Call
    ) throws(BackendError) {
        for (index, request) in requests.enumerated() {
            if index & 255 == 255 { try call.check() }
            var failure: BackendError?
            do throws(BackendError) {
                try remove(request)
            } catch {
                failure = error
            }
            try results.report(index, failure)
        }
    }

    package func copy(_ request: CopyRequest) throws(BackendError) -> Entry {
        try transfer(request, keepingSource: true)
    }

    package func move(_ request: CopyRequest) throws(BackendError) -> Entry {
        try transfer(request, keepingSource: request.from == request.to)
    }

    package func usage() -> Usage {
        let (count, bytes) = lock.reading { (objects.count, used.load(ordering: .relaxed)) }
        return Usage(
            bytes: bytes,
            objects: UInt64(count),
            bytesFree: capacity > 0 ? capacity - min(capacity, bytes) : nil,
            bytesTotal: capacity > 0 ? capacity : nil
        )
    }

    /// Publishes what a write has gathered, by its conditions as they hold now.
    func publish(_ object: StoredObject, _ conditions: Conditions) throws(BackendError) {
        let replaced = try lock.writing { () throws(BackendError) in
            try check(conditions, at: object.key)
            return objects.put(object)
        }
        if let replaced { release(replaced.size) }
    }

    /// Counts bytes that are about to be kept; all of them or none.
    func reserve(_ count: Int) throws(BackendError) {
        let now = used.wrappingAdd(UInt64(count), ordering: .relaxed).newValue
        guard capacity > 0, now > capacity else { return }
        release(UInt64(count))
        throw full
    }

    /// Counts bytes that are no longer kept.
    func release(_ count: UInt64) { used.wrappingSubtract(count, ordering: .relaxed) }

    private var full: BackendError { BackendError(.quota, "the store holds at most \(capacity) bytes") }

    private func object(at key: ByteString) throws(BackendError) -> StoredObject {
        guard let object = lock.reading({ objects.find(key) }) else { throw .notFound(key) }
        return object
    }

    /// Under the lock: the tag of what is at a key.
    private func tag(at key: ByteString) -> ByteString? { objects.find(key).map { tags.tag(of: $0) } }

    /// Under the lock: whether a write may go on.
    func check(_ conditions: Conditions, at key: ByteString) throws(BackendError) {
        guard !conditions.isEmpty else { return }
        try conditions.checkWrite(key, existing: tag(at: key))
    }

    /// Copies or moves in one step: bytes are shared, so only the map changes.
    private func transfer(_ request: CopyRequest, keepingSource: Bool) throws(BackendError) -> Entry {
        let now = wallClock()
        var freed: UInt64 = 0
        let (target, dropped) = try lock.writing { () throws(BackendError) in
            guard let source = objects.find(request.from) else { throw .notFound(request.from) }
            try Conditions(ifMatch: request.sourceIfMatch).checkWrite(request.from, existing: tags.tag(of: source))
            try check(request.conditions, at: request.to)
            let isSame = request.from == request.to
            if keepingSource && !isSame { try reserve(source.body.count) }
            let replacement = request.replacement
            let target = StoredObject(
                key: request.to,
                modified: replacement.map { $0.modified ?? now } ?? source.modified,
                created: keepingSource && !isSame ? now : source.created,
                properties: replacement?.properties ?? source.properties,
                metadata: replacement?.metadata ?? source.metadata,
                checksums: source.checksums,
                body: source.body
            )
            if !keepingSource { _ = objects.remove(request.from) }
            let replaced = objects.put(target)
            if !isSame { freed = replaced?.size ?? 0 }
            return (target, replaced)
        }
        release(freed)
        // What was replaced is freed here, after the lock.
        _ = dropped
        return tags.entry(of: target)
    }
}
