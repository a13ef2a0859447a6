import COpenSSL

/// HMAC-SHA-256 (RFC 2104) of `message` under `key`.
public func hmacSHA256(_ message: RawSpan, key: RawSpan) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
        var length: UInt32 = 0
        key.withUnsafeBytes { key in
            message.withUnsafeBytes { message in
                // An empty buffer has no address, and OpenSSL takes a missing one for "the key of before".
                withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { empty in
                    let bytes = (message.baseAddress ?? UnsafeRawPointer(empty.baseAddress))?
                        .assumingMemoryBound(to: UInt8.self)
                    let made = HMAC(
                        EVP_sha256(),
                        key.baseAddress ?? UnsafeRawPointer(empty.baseAddress),
                        Int32(key.count),
                        bytes,
                        message.count,
                        buffer.baseAddress,
                        &length
                    )
                    guard made != nil else { fatalError("this OpenSSL has no HMAC") }
                }
            }
        }
        count = Int(length)
    }
}

/// HMAC-SHA-256 (RFC 2104) of `message` under `key`.
public func hmacSHA256(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    hmacSHA256(message.span.bytes, key: key.span.bytes)
}

/// Whether both have the same bytes, in a time that does not say where they differ.
public func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
