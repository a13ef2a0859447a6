import CofferAPI
import CofferBackend
import CofferHTTP
import CofferModel
import CofferService
import CofferSystem

/// A form with one file, on its way into a storage.
///
/// The fields `filename` and `location` may come before the file and outrank the query; any other field is refused.
final class FormBody: HTTPBodyReceiver {
    private struct State {
        var parser: MultipartParser
        var parameters: CreateParameters
        var writer: ObjectWriter?
        /// The field whose small value is being gathered, and what there is of it.
        var field: (name: String, value: [UInt8])?
        var isDone = false
    }

    private static let fieldLimit = 4096

    private let exchange: Exchange
    private let storage: String
    private let call: Call
    // Calls on a body never overlap: the lock is free, it only carries the state from thread to thread.
    private let state: Locked<State>

    init(_ parser: MultipartParser, _ exchange: Exchange, _ storage: String, _ parameters: CreateParameters) {
        self.exchange = exchange
        self.storage = storage
        call = exchange.call
        state = Locked(State(parser: parser, parameters: parameters))
    }

    func receive(_ bytes: RawSpan) -> HTTPResponse? {
        do throws(CofferError) {
            var chunk: [UInt8] = []
            chunk.append(bytes)
            try take(chunk)
            return nil
        } catch {
            abort()
            return .problem(error.located(storage: storage))
        }
    }

    func finish(trailers: HTTPHeaders) -> HTTPResponse {
        do throws(CofferError) {
            guard state.withLock({ $0.parser.isComplete }) else {
                throw CofferError(.invalidArgument, "the form ends before its last boundary")
            }
            guard let writer = state.withLock({ $0.writer }) else {
                throw CofferError(.invalidArgument, "the form has no file")
            }
            defer { writer.close() }
            let outcome = try writer.commit(call)
            return exchange.answer(.success(outcome), in: try exchange.generation.storage(storage))
        } catch {
            abort()
            return .problem(error.located(storage: storage))
        }
    }

    func abort() {
        call.cancellation.cancel()
        state.withLock { $0.writer }?.close()
    }

    private func take(_ chunk: [UInt8]) throws(CofferError) {
        let events: [MultipartParser.Event]
        do throws(MultipartParser.Malformed) {
            events = try state.withLock { (state) throws(MultipartParser.Malformed) in
                try chunk.withBytes(0..<chunk.count) { (bytes) throws(MultipartParser.Malformed) in
                    try state.parser.receive(bytes)
                }
            }
        } catch {
            throw CofferError(.invalidArgument, error.reason)
        }
        for event in events {
            switch event {
            case .part(let part): try begin(part)
            case .bytes(let bytes): try append(bytes)
            case .end: try endPart()
            }
        }
    }

    private func begin(_ part: MultipartParser.Part) throws(CofferError) {
        guard !state.withLock({ $0.isDone }) else {
            throw CofferError(.invalidArgument, "the form has something after its file")
        }
        guard part.filename != nil else {
            guard part.name == "filename" || part.name == "location" else {
                throw CofferError(
                    .invalidArgument,
                    "unknown form field \(part.name); known are filename, location and one file"
                )
            }
            state.withLock { $0.field = (part.name, []) }
            return
        }
        let parameters = state.withLock { $0.parameters }
        let key = try Storage.generatedKey(
            filename: parameters.filename ?? part.filename,
            location: parameters.location
        )
        let storage = try exchange.storage(storage, for: .upload, text: key.text)
        var put = try exchange.putRequest(key)
        put.metadata.contentType = part.contentType
        // The request's digests speak of the form, not of the file in it.
        put.checksums = []
        put.trailingAlgorithms = []
        let writer = try storage.write(put, call)
        state.withLock { $0.writer = writer }
    }

    private func append(_ bytes: [UInt8]) throws(CofferError) {
        let (writer, isField) = state.withLock { ($0.writer, $0.field != nil) }
        if isField {
            let size = state.withLock { state in
                state.field?.value += bytes
                return state.field?.value.count ?? 0
            }
            guard size <= Self.fieldLimit else {
                throw CofferError(.tooLarge, "a form field has more than \(Self.fieldLimit) bytes")
            }
        } else if let writer {
            try bytes.withBytes(0..<bytes.count) { (bytes) throws(CofferError) in try writer.append(bytes, call) }
        }
    }

    private func endPart() throws(CofferError) {
        guard let field = state.withLock({ $0.field }) else {
            state.withLock { $0.isDone = true }
            return
        }
        guard let value = String(validating: field.value, as: UTF8.self) else {
            throw CofferError(.invalidArgument, "the form field \(field.name) is not UTF-8")
        }
        state.withLock { state in
            state.field = nil
            if field.name == "filename" { state.parameters.filename = value } else { state.parameters.location = value }
        }
    }
}
