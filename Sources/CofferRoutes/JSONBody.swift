import CofferAPI
import CofferHTTP
import CofferModel
import CofferSystem

/// A request's body that is one small JSON document: gathered whole, then answered.
final class JSONBody: HTTPBodyReceiver {
    /// The largest document, in bytes.
    private static let limit = 8 << 20

    private let bytes = Locked<[UInt8]>([])
    private let answer: @Sendable ([UInt8]) throws(CofferError) -> HTTPResponse

    /// `answer` makes the response of the document.
    init(_ answer: @escaping @Sendable ([UInt8]) throws(CofferError) -> HTTPResponse) { self.answer = answer }

    func receive(_ more: RawSpan) -> HTTPResponse? {
        var chunk: [UInt8] = []
        chunk.append(more)
        let taken = chunk
        let isTooLarge = bytes.withLock { bytes in
            bytes += taken
            return bytes.count > Self.limit
        }
        return isTooLarge ? .problem(CofferError(.tooLarge, "the body has more than \(Self.limit) bytes")) : nil
    }

    func finish(trailers: HTTPHeaders) -> HTTPResponse {
        do throws(CofferError) {
            return try answer(bytes.withLock { $0 })
        } catch {
            return .problem(error)
        }
    }

    func abort() {}
}
