import CofferAPI
import CofferHTTP
import CofferModel

extension HTTPResponse {
    /// An answer of one JSON document.
    static func json(_ bytes: [UInt8], status: Int = 200) -> HTTPResponse {
        var response = HTTPResponse(status: status, body: .bytes(bytes))
        response.headers.add("Content-Type", Wire.json)
        return response
    }

    /// The answer to a request that failed.
    static func problem(_ error: CofferError, status: Int? = nil) -> HTTPResponse {
        let status = status ?? error.code.status
        if status == 304 { return HTTPResponse(status: 304) }
        var response = HTTPResponse(status: status, body: .bytes(Problem.encode(error, status: status)))
        response.headers.add("Content-Type", Problem.mediaType)
        if let milliseconds = error.retryAfter {
            response.headers.add("Retry-After", String((milliseconds + 999) / 1000))
        } else if status == 503 || status == 429 {
            response.headers.add("Retry-After", "1")
        }
        return response
    }

    /// The same with `name: value`.
    func with(_ name: String, _ value: String) -> HTTPResponse {
        var response = self
        response.headers.add(name, value)
        return response
    }
}
