public import CofferModel

/// The one table of failures: what each code is on the wire, on the command line and to a person.
package enum ErrorTable {
    /// One kind of failure.
    package struct Row: Sendable {
        package let code: CofferError.Code
        /// The HTTP status.
        package let status: Int
        /// What `coffer` exits with.
        package let exitCode: Int32
        /// What this kind of failure is, whatever it happened to (RFC 9457, `title`).
        package let title: String
    }

    package static let rows: [Row] = [
        Row(code: .notFound, status: 404, exitCode: 3, title: "Not found"),
        Row(code: .alreadyExists, status: 409, exitCode: 4, title: "Already exists"),
        Row(code: .preconditionFailed, status: 412, exitCode: 4, title: "Condition not met"),
        Row(code: .notModified, status: 304, exitCode: 4, title: "Not modified"),
        Row(code: .invalidKey, status: 400, exitCode: 2, title: "Invalid key"),
        Row(code: .invalidArgument, status: 400, exitCode: 2, title: "Invalid request"),
        Row(code: .rangeInvalid, status: 416, exitCode: 1, title: "Range outside the object"),
        Row(code: .tooLarge, status: 413, exitCode: 6, title: "Too large"),
        Row(code: .badType, status: 415, exitCode: 6, title: "Type not accepted"),
        Row(code: .checksumMismatch, status: 422, exitCode: 1, title: "Checksum mismatch"),
        Row(code: .notEmpty, status: 409, exitCode: 1, title: "Not empty"),
        Row(code: .noSpace, status: 507, exitCode: 1, title: "No space left"),
        Row(code: .quotaExceeded, status: 507, exitCode: 6, title: "Quota exceeded"),
        Row(code: .permissionDenied, status: 403, exitCode: 5, title: "Permission denied"),
        Row(code: .unauthenticated, status: 401, exitCode: 5, title: "Not authenticated"),
        Row(code: .unsupported, status: 501, exitCode: 1, title: "Not supported"),
        Row(code: .changed, status: 409, exitCode: 1, title: "Changed meanwhile"),
        Row(code: .rateLimited, status: 429, exitCode: 8, title: "Too many requests"),
        Row(code: .timeout, status: 504, exitCode: 8, title: "Timed out"),
        Row(code: .unavailable, status: 503, exitCode: 8, title: "Unavailable"),
        Row(code: .backendError, status: 502, exitCode: 8, title: "Backend error"),
        Row(code: .pluginFailed, status: 502, exitCode: 8, title: "Plugin failed"),
        Row(code: .corrupt, status: 502, exitCode: 1, title: "Corrupt data"),
        Row(code: .cancelled, status: 499, exitCode: 1, title: "Cancelled"),
        Row(code: .configInvalid, status: 422, exitCode: 7, title: "Invalid configuration"),
        Row(code: .internal, status: 500, exitCode: 1, title: "Internal error"),
    ]

    /// The row of `code`; a code that we do not know is treated as our own fault.
    package static func row(for code: CofferError.Code) -> Row {
        rows.first { $0.code == code } ?? Row(code: code, status: 500, exitCode: 1, title: "Error")
    }

    /// The code that an answer without a problem document means by its status alone.
    package static func code(forStatus status: Int) -> CofferError.Code {
        switch status {
        case 409: .alreadyExists
        case 422: .checksumMismatch
        case 502: .backendError
        case 507: .noSpace
        case 400: .invalidArgument
        default:
            rows.first { $0.status == status }?.code ?? (status >= 400 && status < 500 ? .invalidArgument : .internal)
        }
    }
}

extension CofferError.Code {
    /// The HTTP status that a host answers such a failure with.
    public var status: Int { ErrorTable.row(for: self).status }
    /// What `coffer` exits with.
    package var exitCode: Int32 { ErrorTable.row(for: self).exitCode }
    /// What this kind of failure is, in words.
    package var title: String { ErrorTable.row(for: self).title }
}
