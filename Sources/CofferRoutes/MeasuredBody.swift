import CofferAPI
import CofferHTTP
import CofferSystem

/// The body of a request on its way to a route, whose answer is counted and names its generation like any other.
final class MeasuredBody: HTTPBodyReceiver {
    private let body: any HTTPBodyReceiver
    private let generation: Int
    private let count: @Sendable (Int) -> Void

    /// `count` hears the status of the answer, once; a caller who goes away counts as 499.
    init(_ body: any HTTPBodyReceiver, generation: Int, count: @escaping @Sendable (Int) -> Void) {
        self.body = body
        self.generation = generation
        self.count = count
    }

    func receive(_ bytes: RawSpan) -> HTTPResponse? { body.receive(bytes).map { measured($0) } }

    func finish(trailers: HTTPHeaders) -> HTTPResponse { measured(body.finish(trailers: trailers)) }

    func abort() {
        body.abort()
        count(499)
    }

    private func measured(_ response: HTTPResponse) -> HTTPResponse {
        count(response.status)
        return response.with(Wire.generation, ifMissing: String(generation))
    }
}

extension HTTPResponse {
    /// The same with `name: value`, unless it has such a field.
    func with(_ name: String, ifMissing value: String) -> HTTPResponse {
        for field in headers where field.name.utf8.elementsEqual(name.utf8) { return self }
        return with(name, value)
    }
}
