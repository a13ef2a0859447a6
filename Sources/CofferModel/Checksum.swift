/// A digest of an object's bytes.
public struct Checksum: Sendable, Hashable {
    /// How a digest is computed; open for growth, since stores bring their own.
    public struct Algorithm: RawRepresentable, Sendable, Hashable {
        /// The word used in YAML, JSON and the ABI.
        public let rawValue: String

        /// Wraps a word.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// SHA-256 (FIPS 180-4).
        public static let sha256 = Algorithm(rawValue: "sha256")
        /// SHA-512 (FIPS 180-4).
        public static let sha512 = Algorithm(rawValue: "sha512")
        /// CRC-32C (RFC 3720, appendix B.4).
        public static let crc32c = Algorithm(rawValue: "crc32c")
        /// MD5 (RFC 1321): accepted from callers, never computed unasked.
        public static let md5 = Algorithm(rawValue: "md5")
    }

    /// How it was computed.
    public var algorithm: Algorithm
    /// The digest in lower-case hexadecimal, most significant byte first.
    public var value: String
    /// Whether it is a digest of the parts' digests instead of the bytes.
    public var isComposite: Bool

    /// Creates a checksum; `value` is lower-case hexadecimal.
    public init(_ algorithm: Algorithm, _ value: String, isComposite: Bool = false) {
        self.algorithm = algorithm
        self.value = value
        self.isComposite = isComposite
    }
}
