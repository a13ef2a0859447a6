public import CCofferPlugin

/// What a call into a plugin answered instead of its result.
public struct PluginError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The status of the ABI, or one of ours.
    public var status: coffer_status
    /// `COFFER_ERR_*`.
    public var flags: UInt32
    /// The store's own number: an errno, an HTTP status; 0 if none.
    public var native: Int32
    /// How long the store asked to wait, in milliseconds; 0 if it did not.
    public var retryAfter: UInt32
    /// The plugin's words, cut, in one line, and never trusted to hold no secrets.
    public var message: String

    /// The plugin broke a rule of the ABI.
    public static let brokenRule: coffer_status = 1001

    /// Creates an error.
    public init(
        _ status: coffer_status,
        _ message: String,
        flags: UInt32 = 0,
        native: Int32 = 0,
        retryAfter: UInt32 = 0
    ) {
        self.status = status
        self.flags = flags
        self.native = native
        self.retryAfter = retryAfter
        self.message = message
    }

    /// The status and the message.
    public var description: String { message.isEmpty ? "status \(status)" : "\(message) (status \(status))" }

    /// The longest message, in bytes.
    static let messageCapacity = 512
}

/// Runs `body` with a place for an error, and gives what it answered: nothing where it was `COFFER_OK`.
///
/// The place is on the stack and nothing is allocated unless something failed: a call that succeeds costs no error.
@inline(__always)
func failure(
    of body: (UnsafeMutablePointer<coffer_error>) -> coffer_status
) -> PluginError? {
    withUnsafeTemporaryAllocation(byteCount: PluginError.messageCapacity, alignment: 8) { message in
        var error = coffer_error()
        error.struct_size = UInt32(MemoryLayout<coffer_error>.size)
        error.message_cap = UInt32(PluginError.messageCapacity)
        error.message = message.baseAddress?.assumingMemoryBound(to: CChar.self)
        let status = body(&error)
        return status == COFFER_OK ? nil : PluginError(status, error, message)
    }
}

extension PluginError {
    /// Copies what `error` says; its numbers are a stranger's.
    @inline(never)
    fileprivate init(_ status: coffer_status, _ error: coffer_error, _ message: UnsafeMutableRawBufferPointer) {
        let count = min(Int(error.message_len), message.count)
        self.init(
            status,
            oneLine(UnsafeRawBufferPointer(rebasing: message[..<count])),
            flags: error.flags,
            native: error.native,
            retryAfter: error.retry_after_ms
        )
    }
}

/// `bytes` as text without control characters; what is not UTF-8 becomes U+FFFD.
func oneLine(_ bytes: UnsafeRawBufferPointer) -> String {
    // Most messages are plain: "no such object" is an everyday answer and must be a cheap one.
    if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return String(decoding: bytes, as: UTF8.self) }
    var result = String.UnicodeScalarView()
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
        let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
        result.append(isControl ? " " : scalar)
    }
    return String(result)
}

extension coffer_str {
    /// The bytes, which belong to whoever made this.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: ptr, count: ptr == nil ? 0 : len) }
}

extension PluginError {
    /// Copies an error that a plugin hands to a sink, of whatever size its struct is; nil where it says that all is well.
    public init?(copying error: UnsafePointer<coffer_error>) {
        let whole = copied(UnsafeRawPointer(error), Int(error.pointee.struct_size), into: coffer_error())
        guard whole.code != COFFER_OK else { return nil }
        let count = min(Int(whole.message_len), PluginError.messageCapacity)
        let message = UnsafeRawBufferPointer(start: whole.message, count: whole.message == nil ? 0 : count)
        self.init(
            whole.code,
            oneLine(message),
            flags: whole.flags,
            native: whole.native,
            retryAfter: whole.retry_after_ms
        )
    }
}
