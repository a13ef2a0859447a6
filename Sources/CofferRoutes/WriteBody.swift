import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService
import CofferSystem

/// An object's bytes on their way from a client into a storage.
final class WriteBody: HTTPBodyReceiver {
    private let writer: ObjectWriter
    private let call: Call
    private let answer: @Sendable (Result<PutOutcome, CofferError>) -> HTTPResponse

    /// `answer` makes the response of the outcome.
    init(
        _ writer: ObjectWriter,
        _ call: Call,
        answer: @escaping @Sendable (Result<PutOutcome, CofferError>) -> HTTPResponse
    ) {
        self.writer = writer
        self.call = call
        self.answer = answer
    }

    func receive(_ bytes: RawSpan) -> HTTPResponse? {
        do throws(CofferError) {
            try writer.append(bytes, call)
            return nil
        } catch {
            writer.close()
            return answer(.failure(error))
        }
    }

    func finish(trailers: HTTPHeaders) -> HTTPResponse {
        defer { writer.close() }
        do throws(CofferError) {
            for checksum in try DigestFields.parse(trailers.all) { try writer.expect(checksum) }
            return answer(.success(try writer.commit(call)))
        } catch {
            return answer(.failure(error))
        }
    }

    func abort() {
        call.cancellation.cancel()
        writer.close()
    }
}
