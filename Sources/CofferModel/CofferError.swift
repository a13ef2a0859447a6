/// Why an operation failed, in the words every layer shares.
///
/// It crosses the plugin ABI, the service and the wire unchanged, so that a client sees the ``code`` the backend gave.
public struct CofferError: Error, Sendable, Hashable {
    /// What kind of failure this is; callers branch on it.
    public var code: Code
    /// What happened to which thing, for a person and never for a parser: lower case, no full stop, no secrets.
    public var message: String
    /// The storage it happened in, where there is one.
    public var storage: String?
    /// The object it happened to, where there is one.
    public var key: Key?
    /// Whether the same request may succeed later and repeating it does no harm.
    public var isRetryable: Bool
    /// Whether the effect may have happened all the same.
    public var isMaybeApplied: Bool
    /// How long the store asked us to wait, in milliseconds.
    public var retryAfter: Int?

    /// Creates an error; `message` is lower case, names the thing, and has no full stop.
    public init(
        _ code: Code,
        _ message: String,
        storage: String? = nil,
        key: Key? = nil,
        isRetryable: Bool? = nil,
        isMaybeApplied: Bool = false,
        retryAfter: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.storage = storage
        self.key = key
        self.isRetryable = isRetryable ?? code.isUsuallyRetryable
        self.isMaybeApplied = isMaybeApplied
        self.retryAfter = retryAfter
    }

    /// The same error, naming `storage` and `key` if it named none.
    public func located(storage: String? = nil, key: Key? = nil) -> CofferError {
        var error = self
        error.storage = self.storage ?? storage
        error.key = self.key ?? key
        return error
    }
}

extension CofferError {
    /// The kinds of failure, open for growth: an unknown word from the wire is a legal code.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The word used on the wire and in logs.
        public let rawValue: String

        /// Wraps a word from the wire.
        public init(rawValue: String) { self.rawValue = rawValue }
    }
}

extension CofferError.Code {
    /// No such object, storage, profile or plugin.
    public static let notFound = Self(rawValue: "not_found")
    /// Something is there already, and the caller asked not to touch it.
    public static let alreadyExists = Self(rawValue: "already_exists")
    /// A condition of the request does not hold.
    public static let preconditionFailed = Self(rawValue: "precondition_failed")
    /// The condition of a read says that the caller has this version already; not a failure on the wire.
    public static let notModified = Self(rawValue: "not_modified")
    /// The storage cannot hold such a key.
    public static let invalidKey = Self(rawValue: "invalid_key")
    /// The request can never succeed as it is.
    public static let invalidArgument = Self(rawValue: "invalid_argument")
    /// The range starts at or past the end of the object.
    public static let rangeInvalid = Self(rawValue: "range_invalid")
    /// More bytes than the storage or its policy takes.
    public static let tooLarge = Self(rawValue: "too_large")
    /// A content type or extension that the storage's policy does not take.
    public static let badType = Self(rawValue: "bad_type")
    /// The bytes do not have the digest that the caller announced.
    public static let checksumMismatch = Self(rawValue: "checksum_mismatch")
    /// A container that still holds objects.
    public static let notEmpty = Self(rawValue: "not_empty")
    /// The medium is full.
    public static let noSpace = Self(rawValue: "no_space")
    /// An allowance is used up.
    public static let quotaExceeded = Self(rawValue: "quota_exceeded")
    /// The caller, or the host towards the store, is known and not allowed.
    public static let permissionDenied = Self(rawValue: "permission_denied")
    /// The caller, or the host towards the store, is not known.
    public static let unauthenticated = Self(rawValue: "unauthenticated")
    /// The storage cannot do this and the host must not pretend.
    public static let unsupported = Self(rawValue: "unsupported")
    /// The object changed while it was read or copied.
    public static let changed = Self(rawValue: "changed")
    /// The store asks for fewer requests.
    public static let rateLimited = Self(rawValue: "rate_limited")
    /// A step took longer than it may.
    public static let timeout = Self(rawValue: "timeout")
    /// The store or the host cannot be reached or has no room for the request now.
    public static let unavailable = Self(rawValue: "unavailable")
    /// The store failed in a way of its own.
    public static let backendError = Self(rawValue: "backend_error")
    /// A plugin broke the rules of the ABI, crashed or could not be loaded.
    public static let pluginFailed = Self(rawValue: "plugin_failed")
    /// The store gave wrong or too few bytes.
    public static let corrupt = Self(rawValue: "corrupt")
    /// The caller went away or took the request back.
    public static let cancelled = Self(rawValue: "cancelled")
    /// The configuration is wrong.
    public static let configInvalid = Self(rawValue: "config_invalid")
    /// Our own fault.
    public static let `internal` = Self(rawValue: "internal")

    /// Whether a failure of this kind usually passes.
    public var isUsuallyRetryable: Bool {
        self == .rateLimited || self == .timeout || self == .unavailable || self == .changed
    }
}
