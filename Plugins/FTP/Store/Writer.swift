// One write of the host: small ones are kept back and sent whole, large ones are sent as they come.

import CofferPluginSDK
import Glibc

/// One write.
///
/// 1. Up to `heldBytes` nothing is sent before the commit: a connection is taken for as long as that lasts, and all of it
///    can be sent again if a connection turns out to be dead.
/// 2. What is larger holds a connection from then on to its end.
final class Writer: WriteStream {
    static let heldBytes = 256 << 10

    private let store: Store
    private let request: WriteRequest
    private let name: [UInt8]
    private var held: [UInt8] = []
    private var upload: Upload?
    private var isPublished = false

    /// A write to a key.
    init(_ store: Store, _ request: WriteRequest, _ name: [UInt8]) {
        (self.store, self.request, self.name) = (store, request, name)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        if upload == nil, held.count + bytes.byteCount <= Self.heldBytes {
            bytes.withUnsafeBytes { held.append(contentsOf: $0) }
            return
        }
        let patience = store.patience(call)
        var failure: Fault?
        try meaning { () throws(Fault) in
            let upload = try begun(patience)
            bytes.withUnsafeBytes { buffer in
                do throws(Fault) { try upload.append(buffer, patience) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    private func begun(_ patience: Patience) throws(Fault) -> Upload {
        if let upload { return upload }
        let begun = try store.pool.keeping(patience) { control throws(Fault) in
            try Upload.begin(store, request.attempt, control, patience)
        }
        upload = begun
        try withBytes(of: held) { buffer throws(Fault) in try begun.append(buffer, patience) }
        held = []
        return begun
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        let patience = store.patience(call)
        let facts = try meaning { () throws(Fault) in
            let (publication, temporary) = try send(patience)
            switch publication {
            case .done(let facts): return facts
            case .unclear(let facts, let reason):
                try store.settle(facts, reason, temporary, as: name, patience)
                return facts
            }
        }
        isPublished = true
        if let upload { store.pool.release(upload.control) }
        upload = nil
        store.sweeper.startIfDue(store)
        return store.entry(request.key, facts)
    }

    private func send(_ patience: Patience) throws(Fault) -> (Store.Publication, [UInt8]) {
        guard let upload else { return try sendWhole(patience) }
        try upload.finish(patience)
        return (try publish(upload, patience), upload.temporary)
    }

    private func sendWhole(_ patience: Patience) throws(Fault) -> (Store.Publication, [UInt8]) {
        try store.pool.repeating(patience) { control throws(Fault) in
            let upload = try Upload.begin(store, request.attempt, control, patience, whole: held)
            do throws(Fault) {
                try upload.finish(patience)
                return (try publish(upload, patience), upload.temporary)
            } catch {
                upload.abandon()
                throw error
            }
        }
    }

    private func publish(_ upload: Upload, _ patience: Patience) throws(Fault) -> Store.Publication {
        try store.publish(
            upload.temporary,
            as: name,
            size: upload.size,
            modified: request.modified,
            upload.control,
            patience
        )
    }

    func close() {
        guard let upload else { return }
        if !isPublished { upload.abandon() }
        store.pool.release(upload.control)
        self.upload = nil
    }
}
