// Reading: what is known of objects, and their bytes.
package import CofferBackend
package import CofferModel

extension Storage {
    /// Runs `body` with the open store and the store's key of something that may be there; errors come out located.
    func reading<Result>(
        _ key: Key,
        _ body: (EmulatedBackend, KeySpace, Key) throws(CofferError) -> Result
    ) throws(CofferError) -> Result {
        let backend = try backend()
        let keys = keys(backend)
        let inner = try keys.forReading(key)
        do throws(CofferError) {
            return try body(backend, keys, inner)
        } catch {
            throw keys.outer(error, key: key)
        }
    }

    /// What is known of an object.
    ///
    /// - Throws: ``CofferError`` with `not_found`, `precondition_failed` or `not_modified`, as the conditions have it.
    package func stat(
        _ key: Key,
        version: String? = nil,
        conditions: Conditions = .none,
        _ call: Call
    ) throws(CofferError) -> ObjectInfo {
        try reading(key) { backend, keys, inner throws(CofferError) in
            let request = ReadRequest(key: inner, version: version, conditions: conditions)
            var info = try backend.stat(request, timed(call))
            finish(&info, keys)
            return info
        }
    }

    /// Opens an object for reading; the bytes that come are exactly the answer's range, or an error.
    package func read(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ReadResult {
        try reading(request.key) { backend, keys, inner throws(CofferError) in
            var asked = request
            asked.key = inner
            var result = try backend.openRead(asked, timed(call))
            finish(&result.info, keys)
            return result
        }
    }

    /// The object as its callers know it, in place: much is copied where it is not.
    ///
    /// Its type is that of the key's extension where the store knows none, as it is for files that others put there.
    private func finish(_ info: inout ObjectInfo, _ keys: KeySpace) {
        if !keys.prefix.isEmpty { info.key = keys.outer(info.key) }
        if info.metadata.contentType == nil { info.metadata.contentType = ContentTypes.type(of: info.key) }
    }

    /// Tests the connection without writing; what comes back is worth showing to an operator.
    package func health(_ call: Call) throws(CofferError) -> [(name: String, value: String)] {
        do throws(CofferError) {
            return try backend().health(timed(call))
        } catch {
            throw error.located(storage: name)
        }
    }

    /// The URL under which `key` is published: by the storage's `url`, else by the store.
    ///
    /// - Throws: ``CofferError`` with `unsupported` where there is neither.
    package func url(_ key: Key, _ call: Call) throws(CofferError) -> String {
        try reading(key) { backend, _, inner throws(CofferError) in
            if let url = policy.url { return PublishedURL.join(url, key) }
            guard backend.capabilities.has(.publicURL) else {
                throw CofferError(.unsupported, "the storage has no url, and its store publishes nothing")
            }
            return try backend.publicURL(of: inner, timed(call))
        }
    }
}

/// URLs made of a storage's `url` and a key.
enum PublishedURL {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// `base`, one slash, and the key with everything escaped that is not unreserved (RFC 3986) or a slash.
    static func join(_ base: String, _ key: Key) -> String {
        var bytes = Array(base.utf8)
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        bytes.append(UInt8(ascii: "/"))
        for byte in key.text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
