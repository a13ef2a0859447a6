import CofferJSON
package import CofferModel

/// The body of `POST /v1/storages/{storage}/links`: `{key, method, expires_in, content_type, filename, size}`.
package struct LinkBody: Sendable, Hashable {
    package var key: Key
    package var method: LinkMethod
    /// In seconds; nil leaves it to the host.
    package var expiresIn: Int64?
    package var contentType: String?
    package var filename: String?
    package var size: Int64?

    package init(
        key: Key,
        method: LinkMethod = .get,
        expiresIn: Int64? = nil,
        contentType: String? = nil,
        filename: String? = nil,
        size: Int64? = nil
    ) {
        self.key = key
        self.method = method
        self.expiresIn = expiresIn
        self.contentType = contentType
        self.filename = filename
        self.size = size
    }

    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("key", key.text)
            $0.member("method", method.rawValue)
            if let expiresIn { $0.member("expires_in", expiresIn) }
            if let contentType { $0.member("content_type", contentType) }
            if let filename { $0.member("filename", filename) }
            if let size { $0.member("size", size) }
        }
        return writer.bytes
    }

    /// Reads a request's body; what the members mean together is for whoever makes the link.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` naming the member, or `invalid_key`.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        try body.allowOnly(["key", "method", "expires_in", "content_type", "filename", "size"])
        key = Key(try body.string("key"))
        try key.checkForReading()
        let word = try body.optionalString("method") ?? LinkMethod.get.rawValue
        guard let method = LinkMethod(rawValue: word) else {
            throw CofferError(.invalidArgument, "method must be GET, HEAD, PUT or DELETE, not \(word)")
        }
        self.method = method
        expiresIn = try body.optionalInteger("expires_in")
        contentType = try body.optionalString("content_type")
        filename = try body.optionalString("filename")
        size = try body.optionalInteger("size")
    }
}
