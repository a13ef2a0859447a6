// What went wrong between us and the server, in the words of the plugin interface.

import CGridFS
import CofferPluginSDK

/// The numbers of the server's errors that mean something to us.
enum ServerCode {
    static let namespaceNotFound: Int32 = 26
    static let duplicateKey: Int32 = 11000
    /// Nothing is known of an index, or it is there with other settings.
    static let indexConflicts: Set<Int32> = [85, 86]
    static let notPermitted: Int32 = 13

    /// The server, or its part of a replica set, is on its way to somewhere else: later is better.
    fileprivate static let passing: Set<Int32> = [
        6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
    ]
    fileprivate static let timeouts: Set<Int32> = [50]
    fileprivate static let loginFailures: Set<Int32> = [11, 18, 8000, 334]
    fileprivate static let full: Set<Int32> = [14031]
    fileprivate static let tooLarge: Set<Int32> = [10334, 17280]
    fileprivate static let notReplicated: Set<Int32> = [64, 100]
    fileprivate static let tooMany: Set<Int32> = [16500]
}

extension BackendError {
    /// The error for a failed command; `isWrite` says that it may have changed something.
    init(_ failure: gridfs_failure, isWrite: Bool, hasUser: Bool) {
        let text = withUnsafeBytes(of: failure.message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        switch failure.kind {
        case GRIDFS_FAILED_CANCELLED: self.init(.cancelled, "cancelled", isMaybeApplied: isWrite)
        case GRIDFS_FAILED_LATE:
            self.init(.timeout, "the deadline passed", isRetryable: true, isMaybeApplied: isWrite)
        case GRIDFS_FAILED_NO_SERVER:
            self.init(.unavailable, "no server answers: \(text)", isRetryable: true, native: failure.code)
        case GRIDFS_FAILED_NETWORK:
            self.init(
                .unavailable,
                "the connection broke: \(text)",
                isRetryable: true,
                isMaybeApplied: isWrite,
                native: failure.code
            )
        case GRIDFS_FAILED_LOGIN:
            self.init(.unauthenticated, "the server refuses the login: \(text)", native: failure.code)
        case GRIDFS_FAILED_SERVER: self = .server(failure.code, text, hasUser: hasUser)
        default: self.init(.io, "the command failed: \(text)", native: failure.code)
        }
    }

    /// The error for what the server said.
    static func server(_ code: Int32, _ text: String, hasUser: Bool) -> BackendError {
        switch code {
        case ServerCode.notPermitted where !hasUser:
            BackendError(.unauthenticated, "the server wants a login: \(text)", native: code)
        case ServerCode.notPermitted: BackendError(.permission, "not permitted: \(text)", native: code)
        case ServerCode.duplicateKey: BackendError(.alreadyExists, "already exists: \(text)", native: code)
        case _ where ServerCode.loginFailures.contains(code):
            BackendError(.unauthenticated, "the server refuses the login: \(text)", native: code)
        case _ where ServerCode.passing.contains(code):
            BackendError(.unavailable, "the server is not ready: \(text)", isRetryable: true, native: code)
        case _ where ServerCode.timeouts.contains(code):
            BackendError(.timeout, "the server took too long: \(text)", isRetryable: true, native: code)
        case _ where ServerCode.full.contains(code): BackendError(.noSpace, "the server is full: \(text)", native: code)
        case _ where ServerCode.tooLarge.contains(code): BackendError(.tooLarge, text, native: code)
        case _ where ServerCode.tooMany.contains(code):
            BackendError(.rateLimited, "the server wants fewer calls: \(text)", isRetryable: true, native: code)
        case _ where ServerCode.notReplicated.contains(code):
            BackendError(
                .unavailable,
                "the write is not confirmed as asked: \(text)",
                isRetryable: true,
                isMaybeApplied: true,
                native: code
            )
        default: BackendError(.io, "the server answers: \(text)", native: code)
        }
    }
}
