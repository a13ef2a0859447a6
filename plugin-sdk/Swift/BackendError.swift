// What a backend throws: a stable code for machines, a sentence for people.

import CCofferPlugin

/// Why an operation failed.
///
/// The message is lower case, names the thing, has no full stop, and never holds a secret.
public struct BackendError: Error, Sendable, Hashable {
    /// A stable code; the host branches on nothing else.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The number in the C header.
        public let rawValue: Int32

        /// A code by its number.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Never possible here; the host may emulate it.
        public static let unsupported = Code(rawValue: COFFER_E_UNSUPPORTED)
        /// An argument makes no sense.
        public static let invalidArgument = Code(rawValue: COFFER_E_INVALID_ARGUMENT)
        /// An option is wrong; the message names it.
        public static let config = Code(rawValue: COFFER_E_CONFIG)
        /// There is no such object, version or container.
        public static let notFound = Code(rawValue: COFFER_E_NOT_FOUND)
        /// A create-only write found something there.
        public static let alreadyExists = Code(rawValue: COFFER_E_ALREADY_EXISTS)
        /// Another condition was lost.
        public static let precondition = Code(rawValue: COFFER_E_PRECONDITION)
        /// Known, but not allowed.
        public static let permission = Code(rawValue: COFFER_E_PERMISSION)
        /// Credentials are missing, wrong or expired.
        public static let unauthenticated = Code(rawValue: COFFER_E_UNAUTHENTICATED)
        /// The store wants fewer calls.
        public static let rateLimited = Code(rawValue: COFFER_E_RATE_LIMITED)
        /// The medium is full.
        public static let noSpace = Code(rawValue: COFFER_E_NO_SPACE)
        /// The object is larger than the store takes.
        public static let tooLarge = Code(rawValue: COFFER_E_TOO_LARGE)
        /// The range starts at or past the end.
        public static let range = Code(rawValue: COFFER_E_RANGE)
        /// The container is not empty.
        public static let notEmpty = Code(rawValue: COFFER_E_NOT_EMPTY)
        /// The deadline passed.
        public static let timeout = Code(rawValue: COFFER_E_TIMEOUT)
        /// The caller gave up.
        public static let cancelled = Code(rawValue: COFFER_E_CANCELLED)
        /// Input or output failed.
        public static let io = Code(rawValue: COFFER_E_IO)
        /// The store cannot be reached.
        public static let unavailable = Code(rawValue: COFFER_E_UNAVAILABLE)
        /// The store's bytes are wrong or too few.
        public static let corrupt = Code(rawValue: COFFER_E_CORRUPT)
        /// A fault of the plugin itself.
        public static let `internal` = Code(rawValue: COFFER_E_INTERNAL)
        /// The store cannot hold this key.
        public static let invalidKey = Code(rawValue: COFFER_E_INVALID_KEY)
        /// The object changed while it was read or copied.
        public static let changed = Code(rawValue: COFFER_E_CHANGED)
        /// The caller's digest does not match the caller's bytes.
        public static let checksum = Code(rawValue: COFFER_E_CHECKSUM)
        /// Over an allowance; the medium has room.
        public static let quota = Code(rawValue: COFFER_E_QUOTA)
        /// A read's `ifNoneMatch` matched.
        public static let notModified = Code(rawValue: COFFER_E_NOT_MODIFIED)
    }

    /// What went wrong.
    public var code: Code
    /// What went wrong, for a person.
    public var message: String
    /// The same call may succeed later, and repeating it does no harm.
    public var isRetryable: Bool
    /// The effect may have happened.
    public var isMaybeApplied: Bool
    /// The number underneath: errno, an HTTP status; 0 if none.
    public var native: Int32
    /// How long the store asks to wait; 0 if it named nothing.
    public var retryAfterMilliseconds: UInt32

    /// An error; only the code and the message are always wanted.
    public init(
        _ code: Code,
        _ message: String,
        isRetryable: Bool = false,
        isMaybeApplied: Bool = false,
        native: Int32 = 0,
        retryAfterMilliseconds: UInt32 = 0
    ) {
        self.code = code
        self.message = message
        self.isRetryable = isRetryable
        self.isMaybeApplied = isMaybeApplied
        self.native = native
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// The operation does not exist in this backend.
    public static func unsupported(_ what: String) -> BackendError {
        BackendError(.unsupported, "\(what) is unsupported")
    }

    /// There is no such object.
    public static func notFound(_ key: ByteString) -> BackendError { BackendError(.notFound, "no such object: \(key)") }
}
