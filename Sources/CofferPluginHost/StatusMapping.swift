import CCofferPlugin
import CofferLoader
import CofferModel

extension CofferError.Code {
    /// The code for a status of the ABI; one that is unknown means that the plugin does not keep the rules.
    init(status: coffer_status) {
        self =
            switch status {
            case COFFER_E_UNSUPPORTED: .unsupported
            case COFFER_E_INVALID_ARGUMENT: .invalidArgument
            case COFFER_E_CONFIG: .configInvalid
            case COFFER_E_NOT_FOUND: .notFound
            case COFFER_E_ALREADY_EXISTS: .alreadyExists
            case COFFER_E_PRECONDITION: .preconditionFailed
            case COFFER_E_PERMISSION: .permissionDenied
            case COFFER_E_UNAUTHENTICATED: .unauthenticated
            case COFFER_E_RATE_LIMITED: .rateLimited
            case COFFER_E_NO_SPACE: .noSpace
            case COFFER_E_TOO_LARGE: .tooLarge
            case COFFER_E_RANGE: .rangeInvalid
            case COFFER_E_NOT_EMPTY: .notEmpty
            case COFFER_E_TIMEOUT: .timeout
            case COFFER_E_CANCELLED: .cancelled
            case COFFER_E_IO: .backendError
            case COFFER_E_UNAVAILABLE: .unavailable
            case COFFER_E_CORRUPT: .corrupt
            case COFFER_E_INVALID_KEY: .invalidKey
            case COFFER_E_CHANGED: .changed
            case COFFER_E_CHECKSUM: .checksumMismatch
            case COFFER_E_QUOTA: .quotaExceeded
            case COFFER_E_NOT_MODIFIED: .notModified
            default: .pluginFailed
            }
    }
}

extension PluginError {
    /// The error in the words of the house; `context` masks what must not be shown.
    func cofferError(_ context: InstanceContext? = nil, key: Key? = nil) -> CofferError {
        let code = CofferError.Code(status: status)
        var text = context?.masked(message) ?? message
        if text.isEmpty { text = defaultMessage(code, key) }
        if code == .pluginFailed && status != PluginError.brokenRule && status != COFFER_E_INTERNAL {
            text += " (the plugin answered the unknown status \(status))"
        }
        return CofferError(
            code,
            text,
            key: key,
            isRetryable: flags & COFFER_ERR_RETRYABLE != 0,
            isMaybeApplied: flags & COFFER_ERR_MAYBE_APPLIED != 0,
            retryAfter: retryAfter == 0 ? nil : Int(retryAfter)
        )
    }

    private func defaultMessage(_ code: CofferError.Code, _ key: Key?) -> String {
        let words = code.rawValue.split(separator: "_").joined(separator: " ")
        return key.map { "\(words): \($0.text)" } ?? words
    }

    /// What a plugin did that the ABI does not allow.
    static func broken(_ reason: String, isMaybeApplied: Bool = false) -> PluginError {
        PluginError(brokenRule, reason, flags: isMaybeApplied ? COFFER_ERR_MAYBE_APPLIED : 0)
    }
}

extension LoadError {
    /// The error in the words of the house.
    var cofferError: CofferError { CofferError(.pluginFailed, description) }
}
