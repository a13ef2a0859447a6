// A store in memory with the abilities that a test gives it, and the faults that no real store can be talked into.
import CofferBackend
import CofferModel
import CofferSystem

/// A store in memory; unchecked because everything that changes lies behind one lock.
final class TestBackend: Backend, @unchecked Sendable {
    /// What goes wrong.
    struct Faults {
        /// How many bytes of an answer never come.
        var missingBytes = 0
        /// How many bytes come behind an answer.
        var extraBytes = 0
        /// Thrown by every commit, after nothing was published.
        var commit: CofferError?
        /// Thrown by every removal.
        var remove: CofferError?
        /// Runs before each commit publishes, outside the lock.
        var beforeCommit: (@Sendable () -> Void)?
        /// Runs once after a read was opened.
        var afterOpen: (@Sendable () -> Void)?
        /// The store takes conditions and does not look at them.
        var ignoresConditions = false
        /// The same where the size was not announced, and so the object comes in parts.
        var ignoresConditionsOfParts = false
        /// Where every presigned URL expires, whatever was asked for.
        var linkExpiry: Timestamp?
        /// Thrown by every attempt to make a container.
        var container: CofferError?
        /// Thrown by every look at the store's health.
        var health: CofferError?
        /// The store loses a bit of everything that it is given.
        var spoilsWrites = false
    }

    struct Stored {
        var info: ObjectInfo
        var bytes: [UInt8]
    }

    struct State {
        var objects: [Key: Stored] = [:]
        var versions = 0
        var faults = Faults()
        var openStreams = 0
        var closings = 0
        var listings = 0
        var stats = 0
        var ingested = 0
        var containers: [String] = []
        var containerTries = 0
        var presigned: PresignRequest?
    }

    let capabilities: Capabilities
    let limits: StoreLimits
    let mustNotEmulate: Set<Capability>
    let state = Locked(State())

    static let everything: Set<Capability> = Set(Capability.allCases).subtracting([
        .readDescriptor, .presign, .publicURL, .containers, .versions, .resume, .writeIngest,
    ])

    init(
        without missing: Set<Capability> = [],
        with more: Set<Capability> = [],
        limits: StoreLimits = StoreLimits(),
        mustNotEmulate: Set<Capability> = []
    ) {
        let native = Self.everything.subtracting(missing).union(more)
        capabilities = Capabilities(Dictionary(uniqueKeysWithValues: native.map { ($0, .init(.native)) }))
        self.limits = limits
        self.mustNotEmulate = mustNotEmulate
    }

    func has(_ capability: Capability) -> Bool { capabilities.has(capability) }

    var faults: Faults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    /// The keys that are there, in order.
    var keys: [String] { state.withLock { $0.objects.keys.sorted().map(\.text) } }

    func bytes(_ key: Key) -> [UInt8]? { state.withLock { $0.objects[key]?.bytes } }

    /// Puts an object there, past everything.
    func plant(_ key: Key, _ bytes: [UInt8] = []) {
        state.withLock { state in
            state.versions += 1
            let info = ObjectInfo(
                key: key,
                size: Int64(bytes.count),
                etag: "v\(state.versions)",
                modified: Timestamp(nanoseconds: Int64(state.versions))
            )
            state.objects[key] = Stored(info: info, bytes: bytes)
        }
    }

    func health(_ call: Call) throws(CofferError) -> [(name: String, value: String)] {
        if let fault = faults.health { throw fault }
        return [("objects", "\(keys.count)")]
    }

    func presign(_ request: PresignRequest, _ call: Call) throws(CofferError) -> PresignedURL {
        guard has(.presign) else { throw Self.unsupported("links") }
        state.withLock { $0.presigned = request }
        return PresignedURL(
            url: "https://store.example/\(request.key)?\(request.method.rawValue)",
            requiredHeaders: request.contentType.map { [("Content-Type", $0)] } ?? [],
            expiresAt: faults.linkExpiry
                ?? Timestamp(nanoseconds: WallClock.nanoseconds + request.lifetime * 1_000_000_000)
        )
    }

    func listContainers(_ call: Call) throws(CofferError) -> [Container] {
        state.withLock { $0.containers.map { Container(name: $0) } }
    }

    func makeContainer(_ name: String, _ call: Call) throws(CofferError) {
        let isTaken = state.withLock { state in
            state.containerTries += 1
            return state.containers.contains(name)
        }
        if let fault = faults.container { throw fault }
        if isTaken { throw CofferError(.alreadyExists, "there is such a container") }
        state.withLock { $0.containers.append(name) }
    }

    func removeContainer(_ name: String, _ call: Call) throws(CofferError) {
        state.withLock { $0.containers.removeAll { $0 == name } }
    }

    private func find(_ request: ReadRequest) throws(CofferError) -> Stored {
        if !request.conditions.isEmpty, !has(.readCondition) { throw Self.unsupported("a read condition") }
        guard let stored = state.withLock({ $0.objects[request.key] }) else {
            throw CofferError(.notFound, "no such object: \(request.key)", key: request.key)
        }
        if let match = request.conditions.ifMatch, !match.isSatisfied(by: stored.info.etag, exists: true) {
            throw CofferError(.preconditionFailed, "another version")
        }
        if let match = request.conditions.ifNoneMatch, match.isSatisfied(by: stored.info.etag, exists: true) {
            throw CofferError(.notModified, "the same version")
        }
        return stored
    }

    func stat(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        guard has(.stat) else { throw Self.unsupported("stat") }
        state.withLock { $0.stats += 1 }
        return try find(request).info
    }

    func openRead(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ReadResult {
        guard request.range == .all || has(.readRange) else { throw Self.unsupported("a range") }
        let stored = try find(request)
        let range = try request.range.resolved(size: Int64(stored.bytes.count))
        var answer = Array(stored.bytes[Int(range.lowerBound)..<Int(range.upperBound)])
        let faults = faults
        answer.removeLast(min(answer.count, faults.missingBytes))
        answer += [UInt8](repeating: 0x21, count: faults.extraBytes)
        state.withLock {
            $0.openStreams += 1
            $0.faults.afterOpen = nil
        }
        faults.afterOpen?()
        return ReadResult(info: stored.info, range: range, body: .stream(TestReadStream(answer, self)))
    }

    func beginWrite(_ request: WriteRequest, _ call: Call) throws(CofferError) -> any WriteStream {
        var request = request
        if faults.ignoresConditionsOfParts, request.size == nil { request.conditions = .none }
        try check(request.conditions, request.key, isCopy: false)
        state.withLock { $0.openStreams += 1 }
        return TestWriteStream(request, self)
    }

    /// Refuses conditions that this store does not have, and checks the others; nothing changes in between.
    func check(_ conditions: Conditions, _ key: Key, isCopy: Bool) throws(CofferError) {
        if conditions.ifNoneMatch != nil, !has(isCopy ? .copyCondition : .createIfAbsent) {
            throw Self.unsupported("create-if-absent")
        }
        if conditions.ifMatch != nil, !has(isCopy ? .copyCondition : .ifMatch) { throw Self.unsupported("if-match") }
        let lost = state.withLock { state -> CofferError? in self.lost(conditions, key, state) }
        if let lost { throw lost }
    }

    private func lost(_ conditions: Conditions, _ key: Key, _ state: State) -> CofferError? {
        guard !state.faults.ignoresConditions else { return nil }
        let present = state.objects[key]?.info
        if conditions.ifNoneMatch != nil, present != nil { return CofferError(.alreadyExists, "\(key) is there") }
        if let match = conditions.ifMatch, !match.isSatisfied(by: present?.etag, exists: present != nil) {
            return CofferError(.preconditionFailed, "\(key) is another version")
        }
        return nil
    }

    /// Publishes under the conditions, at once.
    func publish(
        _ key: Key,
        _ bytes: [UInt8],
        _ metadata: Metadata,
        _ checksums: [Checksum],
        _ conditions: Conditions
    ) throws(CofferError) -> ObjectInfo {
        let result = state.withLock { state -> Result<ObjectInfo, CofferError> in
            if let lost = lost(conditions, key, state) { return .failure(lost) }
            state.versions += 1
            var bytes = bytes
            if state.faults.spoilsWrites, !bytes.isEmpty { bytes[0] ^= 1 }
            let info = ObjectInfo(
                key: key,
                size: Int64(bytes.count),
                etag: "v\(state.versions)",
                modified: Timestamp(nanoseconds: Int64(state.versions)),
                metadata: metadata,
                checksums: has(.checksum) ? checksums : []
            )
            state.objects[key] = Stored(info: info, bytes: bytes)
            return .success(info)
        }
        return try result.get()
    }

    func remove(_ request: RemoveRequest, _ call: Call) throws(CofferError) {
        if let fault = faults.remove { throw fault }
        if request.ifMatch != nil, !has(.removeIfMatch) { throw Self.unsupported("remove-if-match") }
        let failure = state.withLock { state -> CofferError? in
            if let lost = lost(Conditions(ifMatch: request.ifMatch), request.key, state) { return lost }
            let removed = state.objects.removeValue(forKey: request.key)
            return removed == nil && request.isStrict ? CofferError(.notFound, "no such object") : nil
        }
        if let failure { throw failure }
    }

    func removeBatch(_ requests: [RemoveRequest], _ call: Call) throws(CofferError) -> [CofferError?] {
        guard has(.removeBatch) else { throw Self.unsupported("batches") }
        return requests.map { request in
            do throws(CofferError) {
                try remove(request, call)
                return nil
            } catch {
                return error
            }
        }
    }

    func openList(_ query: ListQuery, _ call: Call) throws(CofferError) -> any ListStream {
        if !query.delimiter.isEmpty, !has(.listDelimiter) { throw Self.unsupported("a delimiter") }
        if !query.startAfter.isEmpty, !has(.listAfter) { throw Self.unsupported("start_after") }
        let infos = state.withLock { state -> [ObjectInfo] in
            state.listings += 1
            state.openStreams += 1
            return state.objects.values.map(\.info).filter { $0.key.text.utf8.starts(with: query.prefix.utf8) }
        }
        return TestListStream(infos, query, isSorted: has(.listSorted), self)
    }

    func copy(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        guard has(.copy), request.metadata == nil || has(.copyMetadata) else { throw Self.unsupported("copy") }
        try check(request.conditions, request.to, isCopy: true)
        try check(Conditions(ifMatch: request.sourceIfMatch), request.from, isCopy: true)
        let source = try find(ReadRequest(key: request.from))
        return try publish(
            request.to,
            source.bytes,
            request.metadata ?? source.info.metadata,
            source.info.checksums,
            request.conditions
        )
    }

    func move(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        guard has(.move) else { throw Self.unsupported("move") }
        let info = try copy(request, call)
        state.withLock { _ = $0.objects.removeValue(forKey: request.from) }
        return info
    }

    func publicURL(of key: Key, _ call: Call) throws(CofferError) -> String {
        guard has(.publicURL) else { throw Self.unsupported("urls") }
        return "https://store.example/\(key)"
    }

    func usage(_ call: Call) throws(CofferError) -> [(name: String, value: Int64)] { [] }

    func close() { state.withLock { $0.closings += 1 } }

    static func unsupported(_ what: String) -> CofferError { CofferError(.unsupported, "this store has no \(what)") }

    fileprivate func streamClosed() { state.withLock { $0.openStreams -= 1 } }
}

private final class TestReadStream: ReadStream, @unchecked Sendable {
    private let bytes: [UInt8]
    private var position = 0
    private var store: TestBackend?

    init(_ bytes: [UInt8], _ store: TestBackend) {
        self.bytes = bytes
        self.store = store
    }

    func read(into buffer: inout MutableRawSpan, _ call: Call) throws(CofferError) -> Int {
        let count = min(buffer.byteCount, bytes.count - position)
        for index in 0..<count { buffer.storeBytes(of: bytes[position + index], toByteOffset: index, as: UInt8.self) }
        position += count
        return count
    }

    func close() {
        store?.streamClosed()
        store = nil
    }
}

private final class TestWriteStream: WriteStream, @unchecked Sendable {
    private let request: WriteRequest
    private var bytes: [UInt8] = []
    private let store: TestBackend
    private var isOpen = true

    init(_ request: WriteRequest, _ store: TestBackend) {
        self.request = request
        self.store = store
    }

    func append(_ bytes: RawSpan, _ call: Call) throws(CofferError) { self.bytes.append(bytes) }

    func ingest(_ file: Descriptor, offset: Int64, length: Int64, _ call: Call) throws(CofferError) -> Bool {
        guard store.has(.writeIngest) else { return false }
        var piece = [UInt8](repeating: 0, count: Int(length))
        do {
            let got = try piece.withMutableBytes { all throws(SystemError) in try file.read(into: &all, at: offset) }
            guard got == Int(length) else { throw CofferError(.invalidArgument, "too short") }
        } catch let error as CofferError {
            throw error
        } catch {
            throw CofferError(.internal, "\(error)")
        }
        bytes += piece
        store.state.withLock { $0.ingested += 1 }
        return true
    }

    func commit(_ checksums: [Checksum], _ call: Call) throws(CofferError) -> ObjectInfo {
        store.faults.beforeCommit?()
        if let fault = store.faults.commit { throw fault }
        return try store.publish(request.key, bytes, request.metadata, checksums, request.conditions)
    }

    func close() {
        if isOpen { store.streamClosed() }
        isOpen = false
    }
}

private final class TestListStream: ListStream, @unchecked Sendable {
    private var entries: [(key: [UInt8], info: ObjectInfo?)] = []
    private var position = 0
    private var store: TestBackend?

    init(_ infos: [ObjectInfo], _ query: ListQuery, isSorted: Bool, _ store: TestBackend) {
        self.store = store
        var seen: Set<String> = []
        for info in infos {
            let rest = info.key.text.utf8.dropFirst(query.prefix.utf8.count)
            if let delimiter = query.delimiter.utf8.first, let cut = rest.firstIndex(of: delimiter) {
                let name = String(info.key.text[...cut])
                if seen.insert(name).inserted { entries.append((Array(name.utf8), nil)) }
            } else {
                entries.append((Array(info.key.text.utf8), info))
            }
        }
        let after = Array(query.startAfter.utf8)
        if !after.isEmpty { entries.removeAll { !after.lexicographicallyPrecedes($0.key) } }
        if isSorted { entries.sort { $0.key.lexicographicallyPrecedes($1.key) } }
    }

    var resumeToken: String? { nil }

    func next(into batch: inout ListBatch, limit: Int, _ call: Call) throws(CofferError) -> Bool {
        for (key, info) in entries[position..<min(entries.count, position + limit)] {
            let name = batch.keep(key)
            let etag = batch.keep((info?.etag ?? "").utf8)
            batch.records.append(ListBatch.Record(isPrefix: info == nil, key: name, size: info?.size ?? -1, etag: etag))
            position += 1
        }
        return position < entries.count
    }

    func close() {
        store?.streamClosed()
        store = nil
    }
}
