// The options, read and checked.

import CofferCrypto
package import CofferPluginSDK
package import CofferTransport

/// The options, read and checked.
package struct Configuration: Sendable {
    /// How the bytes of uploads are bound by signatures.
    package enum PayloadSigning: String, Sendable { case auto, unsigned, signed, chunked }
    /// The checksum that goes with uploads.
    package enum ChecksumMode: String, Sendable { case none, md5, crc32c, sha256 }
    /// Where keys come from.
    package enum CredentialsSource: String, Sendable {
        case auto, keys, environment, file, container, instance, anonymous
    }

    package var place: Place
    package var provider: Provider
    package var traits: ProviderTraits
    package var region: String
    package var keys: Credentials?
    package var source: CredentialsSource
    package var credentialsFile: String?
    package var credentialsProfile: String?
    package var metadataEndpoint: String?
    package var settings = HTTPSettings()
    package var partSize: UInt64
    package var uploadConcurrency: Int
    package var readConcurrency: Int
    package var signing: PayloadSigning
    package var checksum: ChecksumMode
    /// Headers of every request that makes an object.
    package var creation = HTTPHeaders()
    /// Headers of every request for an object: the customer's key, and who pays.
    package var objectHeaders = HTTPHeaders()
    /// Whether objects can be read without credentials.
    package var isPublic = false

    /// Reads the options; `name` is the storage's name, which is the container's where none is set.
    package init(name: String, _ options: Options) throws(BackendError) {
        provider = try Self.word(options, "provider", default: "auto", Provider.init) ?? .other
        let endpoint = Self.text(options, "endpoint")
        let isGuessed = (options.string("provider") ?? "auto") == "auto"
        let location = try endpoint.map { text throws(BackendError) in try Self.location("endpoint", text) }
        if isGuessed {
            provider = location.map { Provider.guess(host: $0.origin.host) } ?? .aws
        }
        traits = provider.traits
        guard let region = Self.text(options, "region") ?? traits.defaultRegion else {
            throw Options.wrong("region", "is missing: \(provider.rawValue) has no usual one")
        }
        guard region.utf8.allSatisfy(Self.isHostByte) else { throw Options.wrong("region", "is no name of a region") }
        self.region = region
        let base: HTTPLocation
        if let location { base = location } else { base = try Self.endpoint(of: traits, region: region, options) }
        place = try Place(
            name: name,
            options,
            endpoint: base,
            traits: traits
        )
        source = try Self.word(options, "credentials", default: "auto", CredentialsSource.init) ?? .auto
        keys = try Self.keys(options, source)
        credentialsFile = Self.text(options, "credentials_file")
        credentialsProfile = Self.text(options, "credentials_profile")
        metadataEndpoint = Self.text(options, "metadata_endpoint")
        partSize = try options.size("part_size") ?? 8 << 20
        guard (5 << 20...5 << 30).contains(partSize) else {
            throw Options.wrong("part_size", "is not between 5MiB and 5GiB")
        }
        uploadConcurrency = try Self.count(options, "upload_concurrency", default: 4, in: 1...64)
        readConcurrency = try Self.count(options, "read_concurrency", default: 1, in: 1...64)
        signing = try Self.word(options, "payload_signing", default: "auto", PayloadSigning.init) ?? .auto
        checksum = try Self.word(options, "checksum_mode", default: "none", ChecksumMode.init) ?? .none
        try readTransport(options)
        try readObjects(options)
    }

    private mutating func readTransport(_ options: Options) throws(BackendError) {
        settings.connectTimeout = try Self.duration(options, "connect_timeout", default: 10_000)
        settings.answerTimeout = try Self.duration(options, "answer_timeout", default: 60_000)
        settings.stallTimeout = try Self.duration(options, "stall_timeout", default: 30_000)
        settings.retries.attempts = try Self.count(options, "retries", default: 4, in: 0...100) + 1
        settings.concurrency = try Self.count(options, "connections", default: 64, in: 1...4096)
        settings.proxy = Self.text(options, "proxy")
        settings.caFile = Self.text(options, "ca_file")
        settings.verifiesTLS = try options.boolean("verify_tls") ?? true
    }

    private mutating func readObjects(_ options: Options) throws(BackendError) {
        if let acl = Self.text(options, "acl") {
            guard traits.hasACL else {
                throw Options.wrong("acl", "has no meaning for \(provider.rawValue): its objects have no such lists")
            }
            creation.add("x-amz-acl", try Self.field("acl", acl))
            isPublic = acl.utf8.starts(with: "public-read".utf8)
        }
        for (option, header) in [
            ("storage_class", "x-amz-storage-class"), ("server_side_encryption", "x-amz-server-side-encryption"),
            ("kms_key", "x-amz-server-side-encryption-aws-kms-key-id"),
        ] {
            guard let value = Self.text(options, option) else { continue }
            creation.add(header, try Self.field(option, value))
        }
        let tags = try options.map("tags")
        if !tags.isEmpty {
            creation.add("x-amz-tagging", encodedQuery(tags.map { (name: $0.name, value: $0.value) }))
        }
        if try options.boolean("requester_pays") ?? false { objectHeaders.add("x-amz-request-payer", "requester") }
        guard let text = Self.text(options, "customer_key") else { return }
        guard let key = bytes(base64: text), key.count == 32 else {
            throw Options.wrong("customer_key", "is not 32 bytes in Base64")
        }
        objectHeaders.add("x-amz-server-side-encryption-customer-algorithm", "AES256")
        objectHeaders.add("x-amz-server-side-encryption-customer-key", text)
        objectHeaders.add("x-amz-server-side-encryption-customer-key-md5", base64(Digest.of(key, .md5)))
    }

    private static func keys(_ options: Options, _ source: CredentialsSource) throws(BackendError) -> Credentials? {
        let (access, secret) = (text(options, "access_key"), text(options, "secret_key"))
        guard let access else {
            if secret != nil { throw Options.wrong("access_key", "is missing, although secret_key is set") }
            if source == .keys { throw Options.wrong("access_key", "is missing, although credentials is keys") }
            return nil
        }
        guard let secret else { throw Options.wrong("secret_key", "is missing, although access_key is set") }
        guard source == .auto || source == .keys else {
            throw Options.wrong("credentials", "says \(source.rawValue), although access_key is set")
        }
        return Credentials(
            accessKey: try field("access_key", access),
            secretKey: secret,
            sessionToken: try text(options, "session_token").map { token throws(BackendError) in
                try field("session_token", token)
            }
        )
    }

    /// The provider's own endpoint.
    private static func endpoint(
        of traits: ProviderTraits,
        region: String,
        _ options: Options
    ) throws(BackendError) -> HTTPLocation {
        guard var template = traits.endpoint else { throw Options.wrong("endpoint", "is missing") }
        for (mark, option) in [("{account_id}", "account_id"), ("{namespace}", "namespace"), ("{region}", "region")] {
            guard let at = template.firstRange(of: mark) else { continue }
            guard let value = option == "region" ? region : text(options, option) else {
                throw Options.wrong(option, "is missing: the endpoint contains it")
            }
            guard value.utf8.allSatisfy(isHostByte) else { throw Options.wrong(option, "is no part of a host name") }
            template.replaceSubrange(at, with: value)
        }
        return try location("endpoint", template)
    }
}

// How options are read.
extension Configuration {
    /// A text; one that is empty is not set.
    static func text(_ options: Options, _ name: String) -> String? {
        options.string(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    static func location(_ option: String, _ text: String) throws(BackendError) -> HTTPLocation {
        do throws(HTTPLocationError) {
            return try HTTPLocation(parsing: text)
        } catch {
            throw Options.wrong(option, error.reason)
        }
    }

    static func word<Word>(
        _ options: Options,
        _ name: String,
        default standard: String,
        _ make: (String) -> Word?
    ) throws(BackendError) -> Word? {
        let word = text(options, name) ?? standard
        if let made = make(word) { return made }
        guard word.utf8.elementsEqual(standard.utf8) else { throw Options.wrong(name, "has no such word") }
        return nil
    }

    static func count(
        _ options: Options,
        _ name: String,
        default standard: Int64,
        in bounds: ClosedRange<Int64>
    ) throws(BackendError) -> Int {
        let number = try options.integer(name) ?? standard
        guard bounds.contains(number) else {
            throw Options.wrong(name, "is not between \(bounds.lowerBound) and \(bounds.upperBound)")
        }
        return Int(number)
    }

    static func duration(
        _ options: Options,
        _ name: String,
        default standard: UInt64
    ) throws(BackendError) -> Duration {
        let number = try options.milliseconds(name) ?? standard
        guard (1...3_600_000).contains(number) else { throw Options.wrong(name, "is not between 1ms and 1h") }
        return .milliseconds(Int64(number))
    }

    /// A value that can stand in a header: anything else would only fail at the first request.
    static func field(_ option: String, _ value: String) throws(BackendError) -> String {
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw Options.wrong(option, "holds what no header can")
        }
        return value
    }

    static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}
