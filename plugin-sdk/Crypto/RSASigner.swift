import COpenSSL

/// Signs with a private RSA key: RSASSA-PKCS1-v1_5 over SHA-256 (RFC 8017), which JSON Web Tokens call RS256.
public final class RSASigner: @unchecked Sendable {  // The key never changes, and OpenSSL takes one from any thread.
    private let key: OpaquePointer

    /// Reads a key in PEM (PKCS #8 or PKCS #1) that no passphrase protects; nil if `pem` is anything else.
    public init?(pem: String) {
        var text = Array(pem.utf8)
        let key = text.withUnsafeMutableBytes { bytes -> OpaquePointer? in
            guard let base = bytes.baseAddress, let source = BIO_new_mem_buf(base, Int32(clamping: bytes.count)) else {
                return nil
            }
            defer { BIO_free(source) }
            // Without a callback of ours OpenSSL would ask a terminal for the passphrase.
            return PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in 0 }, nil)
        }
        // The text held the key.
        text.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        guard let key else {
            ERR_clear_error()
            return nil
        }
        self.key = key
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else { return nil }
    }

    deinit { EVP_PKEY_free(key) }

    /// The signature of `message`, as long as the key's modulus; nil where OpenSSL refuses the key.
    public func signature(of message: [UInt8]) -> [UInt8]? {
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        var length = Int(EVP_PKEY_get_size(key))
        guard length > 0, EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else {
            ERR_clear_error()
            return nil
        }
        var isMade = false
        let signature = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            isMade = EVP_DigestSign(context, buffer.baseAddress, &length, message, message.count) == 1
            count = isMade ? length : 0
        }
        guard isMade else {
            ERR_clear_error()
            return nil
        }
        return signature
    }
}
