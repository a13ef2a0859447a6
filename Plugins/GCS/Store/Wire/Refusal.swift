// What a store's refusal means.

import CofferJSON
package import CofferPluginSDK
package import CofferTransport

/// An error as the JSON API tells it: a reason, and a sentence for people.
package struct Refusal: Sendable {
    /// The status.
    package let status: Int
    /// `notFound`, `conditionNotMet`, `rateLimitExceeded` and so on; empty where the answer has none.
    package let reason: String
    /// Google's sentence, or the plain text that stands instead of a document.
    private let message: String

    /// Reads an answer.
    package init(_ answer: HTTPAnswer) {
        status = answer.status
        // An answer that is no document has no reason, and its status tells.
        let error = (try? JSONValue(parsing: answer.body))?["error"]
        reason = error?["errors"]?.arrayValue?.first?["reason"]?.stringValue ?? error?["status"]?.stringValue ?? ""
        message =
            error?["message"]?.stringValue
            ?? String(decoding: answer.body.prefix(1024), as: UTF8.self)
    }

    /// Whether it is the bucket that is missing: its absence has the reason of an absent object.
    package var isAboutBucket: Bool {
        status == 404 && message.lowercased().utf8.starts(with: "the specified bucket does not exist".utf8)
    }

    /// Whether bytes arrived damaged: Google's own digest is another one than we sent.
    package var isDamage: Bool {
        status == 400 && (message.contains("CRC32C") || message.contains("MD5")) && message.contains("match")
    }

    /// What went wrong, in the words of the ABI.
    package func error(_ answer: HTTPAnswer, _ doing: String, key: ByteString?) -> BackendError {
        var error = answer.failure(doing)
        error.message = reason.isEmpty ? "\(doing): status \(status)" : "\(doing): \(reason)"
        if isAboutBucket {
            error.message = "\(doing): there is no such bucket: set container, or create: true"
            return error
        }
        if isDamage {
            error.code = .io
            error.isRetryable = true
            error.message = "\(doing): the bytes were damaged on their way"
            return error
        }
        switch (status, reason) {
        case (404, _):
            if let key { error.message = BackendError.notFound(key).message }
        case (401, _):
            error.message = "\(doing): the store does not take the credentials"
        case (403, "rateLimitExceeded"), (403, "userRateLimitExceeded"):
            error.code = .rateLimited
            error.isRetryable = true
        case (403, "quotaExceeded"), (403, "storageQuotaExceeded"): error.code = .quota
        case (403, "accountDisabled"), (403, "countryBlocked"): break
        case (403, _):
            error.message = "\(doing): the credentials do not allow it"
        case (409, "conflict"): error.code = .alreadyExists
        default: break
        }
        return error
    }
}
