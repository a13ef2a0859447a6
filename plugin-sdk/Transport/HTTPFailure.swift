// What an HTTP status means as a code of the ABI.

public import CofferPluginSDK

extension HTTPHead {
    /// The error that this status is, by HTTP alone; `doing` names what was tried, as in `reading photos/1.jpg`.
    ///
    /// 404 and 410 are `notFound`, 401 `unauthenticated`, 403 `permission`, 409 `alreadyExists`, 412 `precondition`,
    /// 304 `notModified`, 413 `tooLarge`, 416 `range`, 429 `rateLimited`, 507 `noSpace`, 400 and 422 `invalidArgument`,
    /// 405 and 501 `unsupported`, 408 `timeout`, 500 and 502 to 504 `unavailable`, any other `io`. The status is the
    /// native code; `Retry-After` is taken along. Whether repeating does harm the caller knows better: 429 and 503 say
    /// that nothing was done, 408, 500, 502 and 504 are marked retryable and maybe applied.
    public func failure(_ doing: String) -> BackendError {
        let code: BackendError.Code =
            switch status {
            case 304: .notModified
            case 400, 422: .invalidArgument
            case 401, 407: .unauthenticated
            case 403: .permission
            case 404, 410: .notFound
            case 405, 501: .unsupported
            case 408: .timeout
            case 409: .alreadyExists
            case 412: .precondition
            case 413: .tooLarge
            case 416: .range
            case 429: .rateLimited
            case 500, 502, 503, 504: .unavailable
            case 507: .noSpace
            default: .io
            }
        let isOpen = status == 408 || status == 500 || status == 502 || status == 504
        let wait = (retryAfter ?? .zero).nanoseconds / 1_000_000
        return BackendError(
            code,
            "\(doing): the server answers \(status)",
            isRetryable: isOpen || status == 429 || status == 503,
            isMaybeApplied: isOpen,
            native: Int32(clamping: status),
            retryAfterMilliseconds: UInt32(clamping: wait)
        )
    }

    /// How long the server asks to wait, by `Retry-After` in seconds or as a date; nil if it names nothing.
    public var retryAfter: Duration? {
        guard let text = headers["retry-after"] else { return nil }
        if let seconds = UInt32(text) { return .seconds(Int64(seconds)) }
        guard let moment = HTTPDate.parse(text) else { return nil }
        return .nanoseconds(max(0, moment - wallClock()))
    }

    /// The strong entity tag without its quotes; nil if there is none or it is weak.
    public var strongTag: String? {
        guard let tag = entityTag?.utf8, tag.count >= 2, tag.first == 0x22, tag.last == 0x22 else { return nil }
        return String(Substring(tag.dropFirst().dropLast()))
    }

    /// The entity tag as it stands, weak or strong, quotes included.
    public var entityTag: String? { headers["etag"] }

    /// `Last-Modified` in Unix nanoseconds; nil if it is missing or no date.
    public var lastModified: Int64? { headers["last-modified"].flatMap(HTTPDate.parse) }
}

extension HTTPAnswer {
    /// The error that this status is: ``HTTPHead/failure(_:)``.
    public func failure(_ doing: String) -> BackendError { head.failure(doing) }
}
