// What the service's refusal means.

package import CofferPluginSDK
package import CofferTransport
import CofferXML

/// An error as the service tells it: a word in a header, and in XML where there is a body.
package struct Refusal: Sendable {
    /// The status.
    package let status: Int
    /// `BlobNotFound`, `ServerBusy` and so on; empty where the answer has none.
    package let code: String

    /// Reads an answer.
    package init(_ answer: HTTPAnswer) {
        status = answer.status
        if let code = answer.head.headers["x-ms-error-code"] {
            self.code = code
            return
        }
        // An answer that is no document has no code, and its status tells.
        let document = answer.body.isEmpty ? nil : try? XMLParser.parse(answer.body)
        code = document?["Code"]?.text ?? ""
    }

    /// Whether the object is missing, and not what it would be in.
    package var isAbsent: Bool { status == 404 && (code == "BlobNotFound" || code == "CannotVerifyCopySource") }

    /// What went wrong, in the words of the ABI.
    package func error(_ answer: HTTPAnswer, _ doing: String, key: ByteString?) -> BackendError {
        var error = answer.failure(doing)
        error.message = code.isEmpty ? "\(doing): status \(status)" : "\(doing): \(code)"
        if isAbsent, let key { return BackendError(.notFound, BackendError.notFound(key).message, native: 404) }
        guard let meaning = Self.meanings[code] else { return error }
        error.code = meaning
        error.isRetryable = [.rateLimited, .unavailable, .timeout].contains(meaning) || code == "Md5Mismatch"
        if let advice = Self.advice[code] { error.message = "\(doing): \(advice)" }
        return error
    }

    private static let advice = [
        "AuthenticationFailed":
            "the store refuses the credentials: the key or the signature is wrong or has expired, or a clock is",
        "AuthorizationPermissionMismatch": "the credentials do not allow it",
        "BlobArchived": "the blob is archived: rehydrate it first",
        "ContainerBeingDeleted": "the container is being deleted: its name is free in a while",
        "ContainerNotFound": "there is no such container: set container, or create: true",
        "InvalidAuthenticationInfo": "the store refuses the token",
        "InvalidBlobOrBlock": "unfinished blocks of another program are in the way: they go within a week",
        "InvalidBlobType": "it is no block blob: remove it first",
        "LeaseIdMissing": "another program holds a lease on it",
        "NoAuthenticationInformation": "the store wants credentials",
        "SnapshotsPresent": "it has snapshots: set delete_snapshots: true to remove them along",
    ]

    private static let meanings: [String: BackendError.Code] = [
        "AccountBeingCreated": .unavailable, "AccountIsDisabled": .permission, "AuthenticationFailed": .unauthenticated,
        "AuthorizationFailure": .permission, "AuthorizationPermissionMismatch": .permission,
        "AuthorizationProtocolMismatch": .permission, "AuthorizationResourceTypeMismatch": .permission,
        "AuthorizationServiceMismatch": .permission, "AuthorizationSourceIPMismatch": .permission,
        "BlobAlreadyExists": .alreadyExists, "BlobArchived": .permission, "BlobBeingRehydrated": .unavailable,
        "BlobImmutableDueToPolicy": .permission, "BlobNotFound": .notFound, "BlobOverwritten": .changed,
        "BlockCountExceedsLimit": .tooLarge, "BlockListTooLong": .tooLarge, "ConditionNotMet": .precondition,
        "ContainerAlreadyExists": .alreadyExists, "ContainerBeingDeleted": .unavailable,
        "ContainerDisabled": .permission, "ContainerNotFound": .notFound, "CopyIdMismatch": .changed,
        "InsufficientAccountPermissions": .permission, "InternalError": .unavailable,
        "InvalidAuthenticationInfo": .unauthenticated, "InvalidBlobOrBlock": .invalidArgument,
        "InvalidBlobType": .invalidArgument, "InvalidBlockList": .unavailable, "InvalidRange": .range,
        "InvalidResourceName": .invalidKey, "InvalidUri": .invalidKey, "LeaseIdMissing": .permission,
        "Md5Mismatch": .io, "MetadataTooLarge": .invalidArgument, "NoAuthenticationInformation": .unauthenticated,
        "OperationTimedOut": .timeout, "OutOfRangeInput": .invalidKey, "PublicAccessNotPermitted": .permission,
        "RequestBodyTooLarge": .tooLarge, "ServerBusy": .rateLimited, "SnapshotsPresent": .notEmpty,
        "SourceConditionNotMet": .changed, "TargetConditionNotMet": .precondition,
        "UnauthorizedBlobOverwrite": .permission,
    ]
}
