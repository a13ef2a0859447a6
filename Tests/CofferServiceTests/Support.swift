// Short words for what every test of the service does.
import CofferBackend
import CofferModel
import CofferService
import CofferSystem
import Testing

let call = Call()

func makeStorage(
    _ backend: TestBackend = TestBackend(),
    name: String = "files",
    _ policy: StoragePolicy = StoragePolicy(),
    container: String? = nil
) -> Storage {
    Storage(name: name, backendID: "test", generation: 1, policy: policy, container: container) {
        options throws(CofferError) in
        EmulatedBackend(backend, options)
    }
}

extension Storage {
    @discardableResult
    func put(
        _ key: Key,
        _ text: String,
        _ onConflict: OnConflict? = nil,
        conditions: Conditions = .none
    ) throws(CofferError) -> PutOutcome {
        try put(PutRequest(key: key, onConflict: onConflict, conditions: conditions), Array(text.utf8))
    }

    @discardableResult
    func put(_ request: PutRequest, _ bytes: [UInt8]) throws(CofferError) -> PutOutcome {
        let writer = try write(request, call)
        try writer.append(bytes)
        return try writer.commit(call)
    }

    func get(_ key: Key, _ range: ByteRange = .all) throws(CofferError) -> String {
        try text(of: read(ReadRequest(key: key, range: range), call))
    }

    /// The keys and prefixes of a whole listing.
    func listing(_ query: ListQuery = ListQuery()) throws(CofferError) -> [String] {
        let stream = try openListing(query, call)
        defer { stream.close() }
        return try entries(of: stream)
    }

    /// The keys and prefixes of a listing page by page, with something done between the pages.
    func pages(_ query: ListQuery, limit: Int, _ between: () -> Void = {}) throws(CofferError) -> [String] {
        var all: [String] = []
        var cursor: String?
        repeat {
            let page = try page(query, cursor: cursor, limit: limit, call)
            all += page.batch.records.indices.map { page.batch.key(at: $0).text }
            cursor = page.cursor
            between()
        } while cursor != nil
        return all
    }
}

func entries(of stream: any ListStream, limit: Int = 100) throws(CofferError) -> [String] {
    var batch = ListBatch()
    while try stream.next(into: &batch, limit: limit, call) {}
    return batch.records.indices.map { batch.key(at: $0).text }
}

func text(of result: ReadResult, bufferSize: Int = 5) throws(CofferError) -> String {
    guard case .stream(let stream) = result.body else { return "a descriptor" }
    defer { stream.close() }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: bufferSize)
    while true {
        let count = try buffer.withMutableBytes { bytes throws(CofferError) in try stream.read(into: &bytes, call) }
        if count == 0 { return String(decoding: all, as: UTF8.self) }
        all += buffer[..<count]
    }
}

extension ObjectWriter {
    func append(_ bytes: [UInt8]) throws(CofferError) {
        try bytes.withBytes(bytes.indices) { all throws(CofferError) in try append(all, call) }
    }
}

/// The code that `body` fails with; nil where it succeeds.
func code(_ body: () throws(CofferError) -> Void) -> CofferError.Code? { failure(body)?.code }

func failure(_ body: () throws(CofferError) -> Void) -> CofferError? {
    do throws(CofferError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// Runs `body` on that many threads at once and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    let threads = try (0..<count).map { index in try Thread.start(named: "test") { body(index) } }
    for thread in threads { thread.join() }
}
