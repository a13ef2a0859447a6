import CofferAPI
public import CofferModel

/// An object that is being written piece by piece; used by one task at a time.
///
/// Nothing is visible before ``finish()``. Cancelling, or letting it go, leaves nothing behind.
public final class ObjectWriter: Sendable {
    private let upload: ObjectUpload
    private let handle: CancelHandle

    init(_ upload: ObjectUpload, _ handle: CancelHandle) {
        self.upload = upload
        self.handle = handle
    }

    /// Hands the next bytes over; returns when the host has taken them.
    public func append(_ bytes: [UInt8]) async throws(CofferError) {
        let upload = upload
        try await BlockingThreads.shared.run(handle) { () throws(CofferError) in
            let outcome = bytes.withUnsafeBytes { buffer in
                Result { () throws(CofferError) in try upload.append(buffer) }
            }
            try outcome.get()
        }
    }

    /// Publishes, and says where the object went.
    public func finish() async throws(CofferError) -> StoredObject {
        let upload = upload
        return try await BlockingThreads.shared.run(handle) { () throws(CofferError) in try upload.finish().object }
    }

    /// Gives the write up.
    public func cancel() { handle.cancel() }
}
