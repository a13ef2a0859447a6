// An upload in chunks, one of which is on its way while the next is gathered.

import CofferCrypto
import CofferParts
import CofferPluginSDK

/// An upload in chunks: unseen until its last, which waits for the commit; dropped by its close.
///
/// Memory is one chunk being gathered and one on its way.
final class ChunkedUpload {
    private let draft: Draft
    private let session: UploadSession
    private let lanes: Lanes<Bool>
    private let chunkSize: Int
    private var held: [UInt8] = []
    private var offset: UInt64 = 0
    private var isFinished = false

    /// How long the store has to drop what was begun.
    private static let patience: UInt64 = 800_000_000

    /// Begins a session.
    init(_ draft: Draft, size: UInt64?, call: Call) throws(BackendError) {
        self.draft = draft
        chunkSize = Int(draft.storage.configuration.chunkSize)
        lanes = try Lanes(most: 1)
        do throws(BackendError) {
            session = try UploadSession(draft, size: size, call: call)
        } catch {
            lanes.cancel()
            throw error
        }
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        var rest = bytes
        while !rest.isEmpty {
            // A full chunk goes when the next byte shows that it is not the last.
            if held.count == chunkSize { try dispatch(call: call) }
            if held.isEmpty { held.reserveCapacity(chunkSize) }
            let count = min(chunkSize - held.count, rest.byteCount)
            rest.extracting(first: count).withUnsafeBytes { held.append(contentsOf: $0) }
            rest = rest.extracting(droppingFirst: count)
        }
    }

    private func dispatch(call: Call) throws(BackendError) {
        let (body, start) = (held, offset)
        held = []
        offset += UInt64(body.count)
        try lanes.run(call: call) { [session] call throws(BackendError) in
            try session.send(body, at: start, call: call)
            return true
        }
    }

    /// Sends the last chunk, which publishes the object.
    func finish(size: UInt64, crc32c: [UInt8], call: Call) throws(BackendError) -> ObjectResource {
        _ = try lanes.finish(call: call)
        let made = try session.send(held, at: offset, total: size, crc32c: crc32c, call: call)
        guard let made else { throw BackendError(.internal, "an upload ended without an object") }
        isFinished = true
        return made
    }

    func close() {
        lanes.cancel()
        guard !isFinished else { return }
        do throws(BackendError) {
            let work = try Background(nanoseconds: Self.patience)
            try session.abort(call: work.call)
        } catch {
            // A close has nobody to throw to, and the store drops a session by itself after a week.
            draft.storage.host.log(.debug, "a session may be left: \(error.message)")
        }
    }
}
