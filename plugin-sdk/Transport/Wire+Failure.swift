// What libcurl's failures mean.

import CCurl
import CofferPluginSDK
import Glibc

extension Wire {
    /// The error of a transfer that ended badly; whether it may be repeated is not decided here.
    func failure(_ reason: String?, authority: String, headLimit: Int) -> BackendError {
        let result = state.pointee.result
        if state.pointee.head_too_long != 0 {
            return BackendError(.io, "the head of the answer of \(authority) is longer than \(headLimit) bytes")
        }
        let number = coffer_wire_errno(state)
        let detail = reason ?? Self.detail(result, number)
        switch coffer_wire_classify(result) {
        case COFFER_CURL_PARTIAL:
            return BackendError(.corrupt, "\(authority) sent fewer bytes than it announced", isRetryable: true)
        case COFFER_CURL_TIMEOUT:
            let message = "\(authority) does not take the connection in time"
            return BackendError(.timeout, message, isRetryable: true, native: number)
        case COFFER_CURL_TRUST:
            return BackendError(.unavailable, "the certificate of \(authority) is not trusted: \(detail)")
        case COFFER_CURL_TLS:
            return BackendError(.unavailable, "no TLS with \(authority): \(detail)", isRetryable: true, native: number)
        case COFFER_CURL_RESOLVE:
            return BackendError(.unavailable, "no address for \(authority): \(detail)", isRetryable: true)
        case COFFER_CURL_PROXY:
            let message = "no way through the proxy to \(authority): \(detail)"
            return BackendError(.unavailable, message, isRetryable: true)
        case COFFER_CURL_GARBLED:
            return BackendError(.io, "\(authority) does not answer in HTTP: \(detail)")
        case COFFER_CURL_CONNECT, COFFER_CURL_BROKEN:
            let message = "the connection to \(authority) failed: \(detail)"
            return BackendError(.unavailable, message, isRetryable: true, native: number)
        default:
            return BackendError(.io, "the exchange with \(authority) failed: \(detail)", native: number)
        }
    }

    /// The system's words where there is a number, else libcurl's, which name no URL.
    private static func detail(_ result: Int32, _ number: Int32) -> String {
        if number != 0, let text = strerror(number) { return String(cString: text).lowercased() }
        guard let text = coffer_wire_reason(result) else { return "code \(result)" }
        return String(cString: text).lowercased()
    }
}
