// What a store's refusal means.

import CofferPluginSDK
import CofferTransport

/// Makes the error of an answer that is no success.
enum Refusal {
    /// What went wrong; `key` is what was looked for.
    static func error(_ answer: HTTPAnswer, _ doing: String, key: ByteString? = nil) -> BackendError {
        var error = answer.failure(doing)
        error.message = "\(doing): status \(answer.status)"
        switch answer.status {
        case 401: error.message = "\(doing): the store refuses the token"
        case 403: error.message = "\(doing): the user may not do this"
        case 404:
            if let key { return .notFound(key) }
        case 409:
            // Another writer was there at the same time, with a later stamp.
            error.code = .unavailable
            error.isRetryable = true
            error.message = "\(doing): another change was under way"
        case 413:
            if isAboutQuota(answer.body) {
                error.code = .quota
                error.message = "\(doing): the quota is used up"
            }
        case 422:
            error.code = .io
            error.isRetryable = true
            error.message = "\(doing): the store got other bytes than were sent"
        case 498:
            error.code = .rateLimited
            error.isRetryable = true
        case 507: error.code = .noSpace
        default: break
        }
        return error
    }

    /// There is no such container.
    static func noContainer(_ doing: String) -> BackendError {
        BackendError(.notFound, "\(doing): there is no such container: set container, or create: true", native: 404)
    }

    private static func isAboutQuota(_ body: [UInt8]) -> Bool {
        String(decoding: body.prefix(1000), as: UTF8.self).lowercased().firstRange(of: "quota") != nil
    }
}

extension BackendError {
    /// Whether the store has said for certain that it did nothing.
    var isRefusal: Bool { [400, 401, 403, 404, 412, 413, 422].contains(native) }
}
