// How a conversation with the server fails, before anybody knows what it means for an object.

import CofferPluginSDK
import Glibc

/// Why a step on a connection failed.
enum Fault: Error {
    /// The connection broke: nothing more comes on it. On a new one the same may work.
    case lost(String)
    /// It failed with a meaning; another connection would not help.
    case failed(BackendError)

    /// What it means to a caller.
    var error: BackendError {
        switch self {
        case .lost(let reason): BackendError(.unavailable, "the connection broke: \(reason)", isRetryable: true)
        case .failed(let error): error
        }
    }

    /// A broken connection, by the error number of a call.
    static func lost(_ number: Int32, _ what: StaticString) -> Fault {
        .lost("\(what): \(String(cString: strerror(number)).lowercased())")
    }
}

/// Runs `body`, and lets its faults out as what they mean to a caller.
func meaning<R>(_ body: () throws(Fault) -> R) throws(BackendError) -> R {
    do throws(Fault) { return try body() } catch { throw error.error }
}

/// Runs `body`, whose errors another connection would not help.
func fatal<R>(_ body: () throws(BackendError) -> R) throws(Fault) -> R {
    do throws(BackendError) { return try body() } catch { throw .failed(error) }
}
