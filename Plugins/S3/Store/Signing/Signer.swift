// AWS signature version 4: from a request to the value of its Authorization header.

import CofferCrypto

/// A request as far as a signature binds it.
package struct SignedRequest {
    /// `GET`, `PUT` and so on.
    package var method: String
    /// The value of the header `Host`.
    package var host: String
    /// Path and query, escaped, as they go over the wire.
    package var target: String
    /// Lower-case names and values of the headers to bind, without `host`.
    package var headers: [(name: String, value: String)]

    /// A request.
    package init(method: String, host: String, target: String, headers: [(name: String, value: String)] = []) {
        self.method = method
        self.host = host
        self.target = target
        self.headers = headers
    }

    /// The path, then the query in the order and form that a signature wants.
    fileprivate var canonicalTarget: (path: Substring.UTF8View, query: [UInt8]) {
        let bytes = target.utf8
        guard let mark = bytes.firstIndex(of: UInt8(ascii: "?")) else { return (bytes[...], []) }
        var pairs = bytes[bytes.index(after: mark)...].split(separator: UInt8(ascii: "&")).map(Array.init)
        for index in pairs.indices where !pairs[index].contains(UInt8(ascii: "=")) {
            pairs[index].append(UInt8(ascii: "="))
        }
        pairs.sort { $0.lexicographicallyPrecedes($1) }
        return (bytes[..<mark], Array(pairs.joined(separator: [UInt8(ascii: "&")])))
    }
}

/// What a signature says of the body.
package enum PayloadHash: Sendable, Hashable {
    /// Not bound: only over TLS is that safe.
    case unsigned
    /// Bound chunk by chunk, each by a signature of its own.
    case chunks
    /// Bound by its SHA-256, in lower-case hexadecimal.
    case sha256(String)

    /// The SHA-256 of no bytes.
    package static let empty = PayloadHash.sha256(
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )

    /// The value of the header `x-amz-content-sha256`.
    package var header: String {
        switch self {
        case .unsigned: "UNSIGNED-PAYLOAD"
        case .chunks: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        case .sha256(let digest): digest
        }
    }
}

/// A signature, and the names of the headers that it binds.
package struct Signature: Sendable {
    /// The signature in lower-case hexadecimal.
    package let value: String
    /// The names, joined by semicolons.
    package let headers: [UInt8]
}

/// Signs requests with one set of credentials for one region on one day.
package struct Signer: Sendable {
    /// Whose signature it is.
    package let credentials: Credentials
    /// The region that the signature is for.
    package let region: String
    /// `20130524`.
    package let day: [UInt8]
    /// `20130524/us-east-1/s3/aws4_request`.
    package let scope: [UInt8]
    private let key: [UInt8]

    /// Derives the key of a day, which begins the time `20130524T000000Z`; worth keeping until the next one.
    package init(_ credentials: Credentials, region: String, at time: String) {
        self.credentials = credentials
        self.region = region
        day = Array(time.utf8.prefix(8))
        scope = day + Array("/\(region)/s3/aws4_request".utf8)
        var key = hmacSHA256(day, key: Array("AWS4".utf8) + Array(credentials.secretKey.utf8))
        key = hmacSHA256(Array(region.utf8), key: key)
        key = hmacSHA256(Array("s3".utf8), key: key)
        self.key = hmacSHA256(Array("aws4_request".utf8), key: key)
    }

    /// The signature of a request.
    package func signature(of request: SignedRequest, payload: PayloadHash, at time: String) -> Signature {
        var headers = request.headers
        headers.append((name: "host", value: request.host))
        headers.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var names: [UInt8] = []
        for (index, header) in headers.enumerated() {
            if index > 0 { names.append(UInt8(ascii: ";")) }
            names.append(contentsOf: header.name.utf8)
        }
        let target = request.canonicalTarget
        var canonical: [UInt8] = []
        canonical.reserveCapacity(1024)
        canonical.append(line: request.method.utf8)
        canonical.append(line: target.path)
        canonical.append(line: target.query)
        for header in headers {
            canonical.append(contentsOf: header.name.utf8)
            canonical.append(UInt8(ascii: ":"))
            canonical.appendTrimmed(header.value)
            canonical.append(0x0A)
        }
        canonical.append(0x0A)
        canonical.append(line: names)
        canonical.append(contentsOf: payload.header.utf8)
        let value = sign("AWS4-HMAC-SHA256", at: time, hex(Digest.of(canonical)).utf8)
        return Signature(value: value, headers: names)
    }

    /// The value of the header `Authorization`.
    package func authorization(_ signature: Signature) -> String {
        var value = Array("AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/".utf8)
        value.append(contentsOf: scope)
        value.append(contentsOf: ", SignedHeaders=".utf8)
        value.append(contentsOf: signature.headers)
        value.append(contentsOf: ", Signature=".utf8)
        value.append(contentsOf: signature.value.utf8)
        return String(decoding: value, as: UTF8.self)
    }

    /// Signs what follows the lines of the algorithm, the time and the scope.
    package func sign(_ algorithm: String, at time: String, _ rest: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(256)
        text.append(line: algorithm.utf8)
        text.append(line: time.utf8)
        text.append(line: scope)
        text.append(contentsOf: rest)
        return hex(hmacSHA256(text, key: key))
    }
}

extension [UInt8] {
    fileprivate mutating func append(line: some Sequence<UInt8>) {
        append(contentsOf: line)
        append(0x0A)
    }

    /// Appends a header's value as a signature sees it: no blanks at its edges, and one where there were several.
    fileprivate mutating func appendTrimmed(_ value: String) {
        var isAfterBlank = true
        let start = count
        for byte in value.utf8 {
            let isBlank = byte == 0x20
            if !(isBlank && isAfterBlank) { append(byte) }
            isAfterBlank = isBlank
        }
        if count > start, self[count - 1] == 0x20 { removeLast() }
    }
}
