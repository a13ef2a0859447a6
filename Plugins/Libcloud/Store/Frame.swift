// What goes over the socket between the plugin and a child: frames.

package import CofferJSON
package import CofferPluginSDK

/// The lengths at the front of a frame: that of its head, which is JSON, and that of its body.
///
/// A frame without a head is a piece of an object; only those have a body.
package struct FrameLengths: Sendable, Hashable {
    /// How many bytes they are.
    package static let size = 8
    /// The longest head that is taken.
    package static let longestHead = 16 << 20
    /// The longest body that is taken.
    package static let longestBody = 1 << 20

    /// Bytes of the head.
    package var head: Int
    /// Bytes of the body.
    package var body: Int

    /// The lengths of a frame.
    package init(head: Int, body: Int) {
        self.head = head
        self.body = body
    }

    /// Reads them; nil where no child of ours would send such.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size else { return nil }
        func number(_ part: ArraySlice<UInt8>) -> Int { part.reduce(0) { $0 << 8 | Int($1) } }
        head = number(bytes[0..<4])
        body = number(bytes[4..<8])
        guard head <= Self.longestHead, body <= Self.longestBody else { return nil }
        guard (head == 0) != (body == 0) else { return nil }
    }

    /// Them as bytes.
    package var bytes: [UInt8] {
        [head, body].flatMap { number in
            [UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16)]
                + [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
        }
    }
}

/// The head of a question, written member by member.
struct Question {
    private(set) var members: [JSONObject.Member] = []
    /// What it is about, for errors.
    let doing: String
    /// Whether it may be asked again, when nobody knows whether it was heard.
    var isRepeatable = true
    /// Whether it changes something, so that nobody knows what holds when the answer does not come.
    var isChange = false

    /// A question; `doing` says to people what is done.
    init(_ what: String, _ doing: String) {
        self.doing = doing
        self["do"] = .string(what)
        self["doing"] = .string(doing)
    }

    /// A member of the head.
    subscript(name: String) -> JSONValue? {
        get { members.last { $0.isCalled(name) }?.value }
        set { if let newValue { members.append(JSONObject.Member(name: name, value: newValue)) } }
    }

    /// An error in answer to it, which says so where a change may have happened.
    func told(_ error: BackendError) -> BackendError {
        var error = error
        if isChange && (error.code == .timeout || error.code == .cancelled) { error.isMaybeApplied = true }
        return error
    }

    /// The frame.
    var frame: [UInt8] {
        let head = JSONValue.object(JSONObject(members)).bytes()
        return FrameLengths(head: head.count, body: 0).bytes + head
    }
}

/// What a child answered.
package struct Answer: Sendable {
    /// The head.
    package let head: JSONObject

    /// Whether it is the last frame of the answer.
    package var isLast: Bool { head["end"]?.boolValue == true }

    /// An answer with a head.
    package init(_ head: JSONObject) { self.head = head }

    /// What it says went wrong, if anything.
    package func check() throws(BackendError) {
        guard let word = head["error"]?.stringValue else { return }
        let code = Self.codes[word] ?? .io
        throw BackendError(
            code,
            head["message"]?.stringValue ?? "the provider failed",
            isRetryable: head["retryable"]?.boolValue == true,
            isMaybeApplied: head["maybe"]?.boolValue == true,
            retryAfterMilliseconds: UInt32(clamping: head["wait"]?.integerValue ?? 0)
        )
    }

    /// The object that it tells of.
    package func entry(_ key: ByteString) -> Entry {
        var entry = Entry(key)
        entry.size = head["size"]?.integerValue ?? -1
        entry.modified = head["mtime"]?.integerValue ?? Entry.unknownTime
        entry.etag = ByteString(head["etag"]?.stringValue ?? "")
        if let type = head["type"]?.stringValue { entry.properties["content-type"] = type }
        let fields = head["meta"]?.objectValue?.members ?? []
        (entry.metadata, entry.checksums) = MetadataCode.decoded(
            fields.compactMap { field in field.value.stringValue.map { (field.name, $0) } }
        )
        return entry
    }

    private static let codes: [String: BackendError.Code] = [
        "not_found": .notFound, "already_exists": .alreadyExists, "precondition_failed": .precondition,
        "not_modified": .notModified, "invalid_argument": .invalidArgument, "invalid_key": .invalidKey,
        "range_invalid": .range, "too_large": .tooLarge, "no_space": .noSpace, "quota_exceeded": .quota,
        "not_empty": .notEmpty, "permission_denied": .permission, "unauthenticated": .unauthenticated,
        "unsupported": .unsupported, "changed": .changed, "rate_limited": .rateLimited, "timeout": .timeout,
        "unavailable": .unavailable, "backend_error": .io, "corrupt": .corrupt, "config": .config,
    ]
}
