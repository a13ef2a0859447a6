// Writing one version of an object: unseen until its commit, gone without one.

import CLocal
import CofferPluginSDK

/// A write.
final class FileWriter: WriteStream {
    private let store: Store
    private let request: WriteRequest
    private let place: Place
    private let draft: Draft

    /// Begins a write; refuses conditions that are lost already.
    init(_ store: Store, _ request: WriteRequest, _ place: Place) throws(BackendError) {
        self.store = store
        self.request = request
        self.place = place
        if !request.conditions.isEmpty {
            try request.conditions.checkWrite(request.key, existing: try store.open(place)?.token)
        }
        draft = try Draft(in: store, attempt: request.attempt)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        try call.check()
        if let size = request.size, UInt64(bytes.byteCount) > size - min(size, draft.size) { throw tooMuch(size) }
        try bytes.withUnsafeBytes { bytes throws(BackendError) in try draft.append(bytes) }
    }

    func ingest(
        descriptor: Int32,
        offset: UInt64?,
        length: UInt64,
        call: Call
    ) throws(BackendError) -> UInt64 {
        if let size = request.size, length > size - min(size, draft.size) { throw tooMuch(size) }
        let transfer = Transfer(fileSystem: store.fileSystem)
        return try transfer.copy(descriptor, offset, length, to: draft, call: call)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        try call.check()
        if let size = request.size, size != draft.size {
            throw BackendError(.invalidArgument, "\(draft.size) bytes instead of the announced \(size)")
        }
        for given in request.checksums {
            guard let computed = checksums[given.algorithm], computed.isComposite == given.isComposite else { continue }
            guard computed.value.utf8.elementsEqual(given.value.utf8) else {
                throw BackendError(.checksum, "the \(given.algorithm) of the bytes is another one")
            }
        }
        var record = Record(generation: store.nextGeneration())
        record.properties = request.properties
        record.metadata = request.metadata
        // A digest of the caller that nobody computed from the bytes is a claim, and not kept as if it were a fact.
        record.digests = checksums
        record.hasGivenTime = request.modified != nil
        try draft.seal(record, modified: request.modified, keys: [place.key])
        return try store.publish(draft, at: place, conditions: request.conditions, call: call)
    }

    func close() { draft.discard() }

    private func tooMuch(_ size: UInt64) -> BackendError {
        BackendError(.invalidArgument, "more bytes than the announced \(size)")
    }
}
