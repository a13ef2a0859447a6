package import CofferJSON
package import CofferModel

/// A ``CofferError`` as `application/problem+json` (RFC 9457), both ways.
package enum Problem {
    package static let mediaType = "application/problem+json"

    /// The document of `error`; `status` is given where the transport says something finer than the table (405).
    package static func encode(_ error: CofferError, status: Int? = nil) -> [UInt8] {
        var writer = JSONWriter()
        write(error, status: status, to: &writer)
        return writer.bytes
    }

    /// Writes the document of `error` as one JSON value.
    package static func write(_ error: CofferError, status: Int? = nil, to writer: inout JSONWriter) {
        let row = ErrorTable.row(for: error.code)
        writer.object {
            $0.member("type", "urn:coffer:error:\(error.code.rawValue)")
            $0.member("title", row.title)
            $0.member("status", Int64(status ?? row.status))
            $0.member("detail", error.message)
            $0.member("code", error.code.rawValue)
            if let storage = error.storage { $0.member("storage", storage) }
            if let key = error.key { $0.member("key", key.text) }
            $0.member("retryable", error.isRetryable)
            if error.isMaybeApplied { $0.member("maybe_applied", true) }
            if let wait = error.retryAfter { $0.member("retry_after", seconds(milliseconds: wait)) }
        }
    }

    /// The error that an answer of `status` with this body tells; a body that is no problem document still gives one.
    package static func decode(_ body: [UInt8], status: Int) -> CofferError {
        // A proxy or a foreign server may answer anything: then the status alone decides.
        guard let document = try? JSONValue(parsing: body), document.objectValue != nil else {
            return CofferError(ErrorTable.code(forStatus: status), "the host answered \(status) without a reason")
        }
        return decode(document, status: status)
    }

    /// The error that a problem document tells.
    package static func decode(_ document: JSONValue, status: Int? = nil) -> CofferError {
        let status = status ?? document["status"]?.integerValue.flatMap { Int(exactly: $0) } ?? 500
        let code = document["code"]?.stringValue.map { CofferError.Code(rawValue: $0) }
        let detail = document["detail"]?.stringValue ?? document["title"]?.stringValue
        return CofferError(
            code ?? ErrorTable.code(forStatus: status),
            detail ?? "the host answered \(status) without a reason",
            storage: document["storage"]?.stringValue,
            key: document["key"]?.stringValue.map { Key($0) },
            isRetryable: document["retryable"]?.boolValue,
            isMaybeApplied: document["maybe_applied"]?.boolValue ?? false,
            retryAfter: document["retry_after"]?.numberValue.flatMap(milliseconds(seconds:))
        )
    }

    /// `Retry-After` of an error, in whole seconds rounded up; nil where it has none.
    package static func retryAfterField(_ error: CofferError) -> String? {
        error.retryAfter.map { String(max(0, $0) / 1000 + (max(0, $0) % 1000 == 0 ? 0 : 1)) }
    }

    private static func seconds(milliseconds: Int) -> JSONValue {
        milliseconds % 1000 == 0 ? .integer(Int64(milliseconds / 1000)) : .number(Double(milliseconds) / 1000)
    }

    private static func milliseconds(seconds: Double) -> Int? {
        Int(exactly: (seconds * 1000).rounded(.up))
    }
}
