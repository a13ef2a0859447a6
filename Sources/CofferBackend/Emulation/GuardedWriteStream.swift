// The commit of a write under the lock of its key: the check and the act as one step.
import CofferModel
import CofferSystem

/// A store's write whose conditions the host keeps, and which other conditional changes can rely on.
final class GuardedWriteStream: WriteStream {
    private let bare: any WriteStream
    private let key: Key
    private let held: Conditions
    private let owner: EmulatedBackend

    init(_ bare: any WriteStream, key: Key, held: Conditions, owner: EmulatedBackend) {
        self.bare = bare
        self.key = key
        self.held = held
        self.owner = owner
    }

    deinit { bare.close() }

    func append(_ bytes: RawSpan, _ call: Call) throws(CofferError) { try bare.append(bytes, call) }

    func ingest(_ file: Descriptor, offset: Int64, length: Int64, _ call: Call) throws(CofferError) -> Bool {
        try bare.ingest(file, offset: offset, length: length, call)
    }

    func commit(_ checksums: [Checksum], _ call: Call) throws(CofferError) -> ObjectInfo {
        try owner.changing(key, call) { () throws(CofferError) in
            if !held.isEmpty { try held.checkForChange(owner.present(key, call), key: key) }
            return try bare.commit(checksums, call)
        }
    }

    func close() { bare.close() }
}
