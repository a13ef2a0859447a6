// Reads: of one revision to their end, whatever is written meanwhile.

import CofferJSON
package import CofferPluginSDK
import CofferTransport

extension DropboxStorage {
    package func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        let path = try names.path(of: request.key)
        switch try content.read(download(path), request.range, call: call) {
        case .refused(let answer):
            let refusal = Refusal(answer)
            if answer.status == 409 && refusal.isAbsence { throw absent(request) }
            if answer.status == 416 { throw BackendError(.range, "the range starts past the end", native: 416) }
            throw refusal.error("reading \(request.key)", key: request.key)
        case .reading(let read):
            do throws(BackendError) {
                return try accept(read, request)
            } catch {
                read.close()
                throw error
            }
        }
    }

    /// What a read gives, once its conditions hold.
    private func accept(_ read: RangedRead, _ request: ReadRequest) throws(BackendError) -> ReadAnswer {
        let facts = try facts(of: read, request.key)
        guard facts.size == read.size else {
            throw BackendError(.corrupt, "dropbox tells two sizes of \(request.key)", isRetryable: true)
        }
        try request.conditions.checkRead(request.key, etag: facts.etag)
        let stream = RevisionReader(self, request.key, facts, read)
        return ReadAnswer(entry: facts.entry(request.key), range: read.range, body: .stream(stream))
    }

    /// What the head of a download tells of the file.
    func facts(of read: RangedRead, _ key: ByteString) throws(BackendError) -> FileFacts {
        // What cannot be parsed is missing, and refused below.
        let told = read.head.headers["dropbox-api-result"].flatMap { try? JSONValue(parsing: $0) }
        guard let facts = told.flatMap(FileFacts.init) else {
            throw BackendError(.io, "reading \(key): dropbox does not tell which revision it sends")
        }
        return facts
    }

    /// A download of a path, or of a revision.
    func download(_ path: String) -> HTTPRequest {
        let arguments: JSONValue = ["path": .string(path)]
        var request = HTTPRequest("GET", "/2/files/download")
        request.headers["Dropbox-API-Arg"] = arguments.asciiText
        request.headers["Dropbox-API-Path-Root"] = pathRoot
        return request
    }
}

/// A read of one revision.
///
/// Where a connection breaks, the rest is asked for by the revision, which no writer can change. All bytes of a file are
/// compared with its content hash.
private final class RevisionReader: ReadStream {
    private let storage: DropboxStorage
    private let key: ByteString
    private let facts: FileFacts
    private let range: Range<UInt64>
    private var read: RangedRead
    private var position: UInt64
    private var failures = 0
    /// What was read, where it will be all.
    private var hash: ContentHash?

    init(_ storage: DropboxStorage, _ key: ByteString, _ facts: FileFacts, _ read: RangedRead) {
        self.storage = storage
        self.key = key
        self.facts = facts
        self.read = read
        range = read.range
        position = range.lowerBound
        hash = facts.hash != nil && range == 0..<facts.size ? ContentHash() : nil
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        while true {
            do throws(BackendError) {
                let count = try read.read(into: &buffer, call: call)
                hash?.update(buffer.bytes.extracting(0..<count))
                position += UInt64(count)
                failures = 0
                if position == range.upperBound { try verify() }
                return count
            } catch {
                try resume(after: error, call)
            }
        }
    }

    private func verify() throws(BackendError) {
        guard let told = facts.hash, let computed = hash?.finish() else { return }
        hash = nil
        guard computed.utf8.elementsEqual(told.utf8) else {
            throw BackendError(.corrupt, "the bytes of \(key) do not match their content hash")
        }
    }

    private func resume(after error: BackendError, _ call: Call) throws(BackendError) {
        // To the transport a change is also what it cannot tell from one; a revision does not change.
        guard error.isRetryable || error.code == .changed, position < range.upperBound,
            failures < storage.configuration.settings.retries.attempts - 1
        else { throw error }
        read.close()
        failures += 1
        try call.sleep(nanoseconds: UInt64.random(in: 50...100) * 1_000_000 << UInt64(min(failures, 6)))
        let rest = ReadRange.slice(offset: position, length: range.upperBound - position)
        switch try storage.content.read(storage.download(facts.pinnedPath), rest, call: call) {
        case .refused(let answer):
            let refusal = Refusal(answer)
            guard answer.status == 409, refusal.isAbsence else { throw refusal.error("reading \(key)") }
            throw BackendError(.changed, "the revision that was read is gone: \(key)")
        case .reading(let next):
            read = next
            guard next.size == facts.size, next.range.lowerBound == position else {
                throw BackendError(.changed, "the object changed while it was read: \(key)")
            }
        }
    }

    func close() { read.close() }
}
