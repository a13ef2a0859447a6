// What the host's answers mean in the words of a backend: errors, entries, times, escaped texts.

import CofferJSON
import CofferPluginSDK

/// Failures as the host tells them (RFC 9457).
enum Problem {
    private static let codes: [String: BackendError.Code] = [
        "not_found": .notFound, "already_exists": .alreadyExists, "precondition_failed": .precondition,
        "invalid_key": .invalidKey, "invalid_argument": .invalidArgument, "range_invalid": .range,
        "too_large": .tooLarge, "checksum_mismatch": .checksum, "not_empty": .notEmpty, "no_space": .noSpace,
        "quota_exceeded": .quota, "permission_denied": .permission, "unauthenticated": .unauthenticated,
        "unsupported": .unsupported, "changed": .changed, "rate_limited": .rateLimited, "timeout": .timeout,
        "unavailable": .unavailable, "backend_error": .io, "plugin_failed": .internal, "corrupt": .corrupt,
        "cancelled": .cancelled, "config_invalid": .config, "internal": .internal,
    ]

    /// The error that an answer is; answers to HEAD have a status alone.
    static func error(_ head: AnswerHead, _ body: [UInt8]) -> BackendError {
        // What is no JSON has no code, and the status decides.
        if let problem = try? JSONValue(parsing: body), let error = error(problem, status: head.status) { return error }
        let code: BackendError.Code =
            switch head.status {
            case 304: .notModified
            case 400: .invalidArgument
            case 404: .notFound
            case 409: .alreadyExists
            case 412: .precondition
            case 413: .tooLarge
            case 416: .range
            case 501: .unsupported
            case 503: .unavailable
            case 504: .timeout
            default: .internal
            }
        return BackendError(code, "the host answers \(head.status)", native: Int32(head.status))
    }

    /// The error that a problem document is.
    static func error(_ problem: JSONValue, status: Int = 0) -> BackendError? {
        guard let word = problem["code"]?.stringValue else { return nil }
        return BackendError(
            codes[word] ?? .internal,
            problem["detail"]?.stringValue ?? word,
            isRetryable: problem["retryable"]?.boolValue ?? false,
            native: Int32(status)
        )
    }
}

extension Entry {
    /// The properties by their names here and in JSON.
    private static let wireNames = [
        ("content-type", "content_type"), ("content-encoding", "content_encoding"),
        ("content-disposition", "content_disposition"), ("content-language", "content_language"),
        ("cache-control", "cache_control"),
    ]

    /// An object as JSON tells it.
    init(json: JSONValue) {
        self.init(ByteString(json["key"]?.stringValue ?? ""), size: json["size"]?.integerValue ?? -1)
        if let etag = json["etag"]?.stringValue { self.etag = ByteString(etag) }
        modified = json["modified"]?.stringValue.flatMap(WireTime.parse) ?? Entry.unknownTime
        created = json["created"]?.stringValue.flatMap(WireTime.parse) ?? Entry.unknownTime
        for (name, member) in Self.wireNames { properties[name] = json[member]?.stringValue }
        for member in json["metadata"]?.objectValue?.members ?? [] { metadata[member.name] = member.value.stringValue }
        if let algorithm = json["checksum"]?["algorithm"]?.stringValue,
            let value = json["checksum"]?["value"]?.stringValue
        {
            checksums = [Checksum(algorithm: algorithm, value: value)]
        }
    }

    /// An object as the head of an answer to GET or HEAD tells it.
    init(_ key: ByteString, _ head: AnswerHead) {
        self.init(key)
        let whole = head["content-range"].flatMap { $0.split(separator: "/").last } ?? head["content-length"]?[...]
        size = whole.flatMap { Int64($0) } ?? -1
        if let tag = head["etag"], tag.utf8.count >= 2 { etag = ByteString(String(tag.dropFirst().dropLast())) }
        modified = head["coffer-modified"].flatMap(WireTime.parse) ?? Entry.unknownTime
        created = head["coffer-created"].flatMap(WireTime.parse) ?? Entry.unknownTime
        for (name, _) in Self.wireNames { properties[name] = head[name] }
        for (name, value) in head.fields where name.hasPrefix("coffer-meta-") {
            metadata[String(name.dropFirst("coffer-meta-".count))] = Escaped.decode(value)
        }
        if let digest = head["coffer-checksum"], let equals = digest.firstIndex(of: "=") {
            let value = String(digest[digest.index(after: equals)...])
            checksums = [Checksum(algorithm: String(digest[..<equals]), value: value)]
        }
    }
}

/// Percent-escaped UTF-8.
enum Escaped {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// The bytes with everything escaped that is not unreserved (RFC 3986, section 2.3).
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: text.append(byte)
            default: text += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25, rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Times as the host writes them: RFC 3339, in UTC.
enum WireTime {
    /// Unix nanoseconds; nil for something else.
    static func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            range.upperBound <= bytes.count ? Int64(String(decoding: bytes[range], as: UTF8.self)) : nil
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), bytes.last == 0x5A
        else { return nil }
        var fraction: Int64 = 0
        if bytes.count > 20 {
            let digits = bytes[20..<bytes.count - 1]
            guard digits.count <= 9, let value = Int64(String(decoding: digits, as: UTF8.self)) else { return nil }
            fraction = (digits.count..<9).reduce(value) { value, _ in value * 10 }
        }
        // Days since 1970, by years that begin in March: leap days come last in them.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000_000 + fraction
    }
}
