import CofferBackend
import CofferHTTP
import CofferModel
import Synchronization

/// An object's bytes on their way to a client.
final class ReadBody: HTTPBodySource {
    private let stream: any ReadStream
    private let call: Call
    private let onFailure: @Sendable (CofferError) -> Void

    /// `onFailure` hears why the bytes ended early: the head is gone by then, so the client sees only a broken answer.
    init(_ stream: any ReadStream, _ call: Call, onFailure: @escaping @Sendable (CofferError) -> Void) {
        self.stream = stream
        self.call = call
        self.onFailure = onFailure
    }

    func read(into buffer: inout MutableRawSpan) -> Int? {
        do throws(CofferError) {
            return try stream.read(into: &buffer, call)
        } catch {
            onFailure(error)
            return nil
        }
    }

    func close() { stream.close() }
}
