// What an HTTP status means as a code of the ABI.

public import CofferPluginSDK

extension HTTPHead {
    /// The error that this status is, by HTTP alone; `doing` names what was tried, as in `reading photos/1.jpg`.
    ///
    /// 404 and 410 are `notFound`, 401 `unauthenticated`, 403 `permission`, 409 `alreadyExists`, 412 `precondition`,
    /// 304 `notModified`, 413 `tooLarge`, 416 `range`, 429 `rateLimited`, 507 `noSpace`, 400 and 422 `invalidArgument`,
    /// 405 and 501 `unsupported`, 408 `timeout`, 500 and 502 to 504 `unavailable`, other 4xx `io`. The status is the native
    /// code; `Retry-After` is taken along.
    public func failure(_ doing: String) -> BackendError { BackendError(.io, doing, native: Int32(status)) }

    /// How long the server asks to wait, by `Retry-After` in seconds or as a date; nil if it names nothing.
    public var retryAfter: Duration? { nil }

    /// The strong entity tag without its quotes; nil if there is none or it is weak.
    public var strongTag: String? { nil }

    /// The entity tag as it stands, weak or strong, quotes included.
    public var entityTag: String? { headers["etag"] }

    /// `Last-Modified` in Unix nanoseconds; nil if it is missing or no date.
    public var lastModified: Int64? { nil }
}

extension HTTPAnswer {
    /// The error that this status is: ``HTTPHead/failure(_:)``.
    public func failure(_ doing: String) -> BackendError { head.failure(doing) }
}
