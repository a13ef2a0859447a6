// What a store's refusal means.

package import CofferPluginSDK
package import CofferTransport
import CofferXML

/// An error as S3 tells it: a code in XML.
package struct Refusal: Sendable {
    /// The status.
    package let status: Int
    /// `NoSuchKey`, `SlowDown` and so on; empty where the answer has none.
    package let code: String
    /// The region that a redirect names.
    package let region: String

    /// Reads an answer.
    package init(_ answer: HTTPAnswer) {
        status = answer.status
        // An answer that is no document has no code, and its status tells.
        let document = answer.body.isEmpty ? nil : try? XMLParser.parse(answer.body)
        let error = document.flatMap { $0.name == "Error" ? $0 : $0["Error"] }
        code = error?["Code"]?.text ?? ""
        region = answer.head.headers["x-amz-bucket-region"] ?? error?["Region"]?.text ?? ""
    }

    /// Whether another request for the same key was in the way: the same one may succeed.
    package var isConflict: Bool { code == "ConditionalRequestConflict" || code == "OperationAborted" }

    /// What went wrong, in the words of the ABI.
    package func error(_ answer: HTTPAnswer, _ doing: String, key: ByteString?) -> BackendError {
        var error = answer.failure(doing)
        error.message = code.isEmpty ? "\(doing): status \(status)" : "\(doing): \(code)"
        guard let meaning = Self.meanings[code] else {
            if status == 404, let key { return .notFound(key) }
            if !region.isEmpty && (status == 301 || status == 307 || status == 400) { return wrongRegion(error) }
            return error
        }
        error.code = meaning
        error.isRetryable = Self.isTransient(meaning, code)
        switch code {
        case "NoSuchKey", "NoSuchVersion":
            if let key { error.message = BackendError.notFound(key).message }
        case "NoSuchBucket":
            error.message = "\(doing): there is no such bucket: set container, or create: true"
        case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException",
            "TemporaryRedirect":
            return wrongRegion(error)
        case "RequestTimeTooSkewed": error.message = "\(doing): the clocks of this machine and of the store differ"
        case "InvalidAccessKeyId": error.message = "\(doing): the store does not know the access key"
        case "SignatureDoesNotMatch": error.message = "\(doing): the secret key is wrong, or the region"
        case "ExpiredToken": error.message = "\(doing): the credentials have ended"
        default: break
        }
        return error
    }

    /// What a code alone means, as a batch has it for one key.
    package static func error(code: String, _ doing: String) -> BackendError {
        let meaning = meanings[code] ?? .io
        return BackendError(meaning, "\(doing): \(code)", isRetryable: isTransient(meaning, code))
    }

    private static func isTransient(_ meaning: BackendError.Code, _ code: String) -> Bool {
        [.rateLimited, .unavailable, .timeout].contains(meaning) || repeatable.contains(code)
    }

    private func wrongRegion(_ error: BackendError) -> BackendError {
        var error = error
        error.code = .config
        error.isRetryable = false
        error.message =
            region.isEmpty
            ? "the bucket is in another region or at another endpoint: set region or endpoint"
            : "the bucket is in another region: set region to \(region)"
        return error
    }

    private static let repeatable: Set<String> = ["BadDigest", "ConditionalRequestConflict", "OperationAborted"]

    private static let meanings: [String: BackendError.Code] = [
        "AccessDenied": .permission, "AccountProblem": .permission, "AllAccessDisabled": .permission,
        "AuthorizationHeaderMalformed": .config, "BadDigest": .io, "BucketAlreadyExists": .alreadyExists,
        "BucketAlreadyOwnedByYou": .alreadyExists, "BucketNotEmpty": .notEmpty,
        "ConditionalRequestConflict": .precondition, "EntityTooLarge": .tooLarge, "EntityTooSmall": .invalidArgument,
        "ExpiredToken": .unauthenticated, "IllegalLocationConstraintException": .config, "InternalError": .unavailable,
        "InvalidAccessKeyId": .unauthenticated, "InvalidBucketName": .invalidArgument,
        "InvalidDigest": .invalidArgument,
        "InvalidObjectName": .invalidKey, "InvalidObjectState": .permission, "InvalidPart": .invalidArgument,
        "InvalidPartOrder": .invalidArgument, "InvalidRange": .range, "InvalidSecurity": .unauthenticated,
        "InvalidToken": .unauthenticated, "KeyTooLongError": .invalidKey, "MaxMessageLengthExceeded": .tooLarge,
        "MetadataTooLarge": .invalidArgument, "MethodNotAllowed": .permission, "NoSuchBucket": .notFound,
        "NoSuchKey": .notFound, "NoSuchUpload": .notFound, "NoSuchVersion": .notFound, "NotImplemented": .unsupported,
        "OperationAborted": .unavailable, "PermanentRedirect": .config, "PreconditionFailed": .precondition,
        "QuotaExceeded": .quota, "QuotaExceededException": .quota, "RequestTimeTooSkewed": .unauthenticated,
        "RequestTimeout": .timeout, "ServiceUnavailable": .unavailable, "SignatureDoesNotMatch": .unauthenticated,
        "SlowDown": .rateLimited, "TemporaryRedirect": .config, "Throttling": .rateLimited,
        "TooManyBuckets": .quota, "TooManyRequests": .rateLimited, "XAmzContentSHA256Mismatch": .io,
        "XAmzContentChecksumMismatch": .io,
    ]
}

/// Judges the answers of operations that may hide an error in a 200.
@Sendable
package func hiddenError(_ answer: HTTPAnswer) -> BackendError? {
    guard answer.status == 200 else { return nil }
    let refusal = Refusal(answer)
    guard !refusal.code.isEmpty else { return nil }
    var error = refusal.error(answer, "the store failed late", key: nil)
    if error.code == .io, !error.isRetryable { error.code = .unavailable }
    return error
}
