// The options, read and checked.

package import CofferPluginSDK
package import CofferTransport

/// The options, read and checked.
package struct Configuration: Sendable {
    /// Where credentials come from.
    package enum CredentialsSource: String, Sendable {
        case auto, key
        case applicationDefault = "application_default"
        case metadata, anonymous
    }

    /// The step of which chunks of an upload are multiples.
    package static let chunkStep: UInt64 = 256 << 10

    package var place: Place
    package var project: String?
    package var bucketLocation: String?
    package var source: CredentialsSource
    package var credentialsFile: String?
    package var credentialsJSON: String?
    package var metadataEndpoint: HTTPLocation?
    package var userProject: String?
    package var signsRemotely: Bool
    package var signerEmail: String?
    package var signEndpoint: HTTPLocation
    package var settings = HTTPSettings()
    package var chunkSize: UInt64
    package var readConcurrency: Int
    package var acl: String?
    package var storageClass: String?
    package var kmsKey: String?

    /// Whether objects can be read without credentials.
    package var isPublic: Bool { acl.map { $0.utf8.elementsEqual("publicRead".utf8) } ?? false }

    /// Reads the options; `name` is the storage's name, which is the bucket's where none is set.
    package init(name: String, _ options: Options) throws(BackendError) {
        let endpoint = try Self.location(options, "endpoint", default: "https://storage.googleapis.com")
        let isSet = Self.text(options, "container") != nil
        let container = Self.text(options, "container") ?? name
        guard Place.isContainer(container) else {
            let why = isSet ? "is no name of a bucket" : "is missing: the storage's name is no name of a bucket"
            throw Options.wrong("container", why)
        }
        let outside = try Self.location(options, "public_endpoint")
        place = Place(container: container, endpoint: endpoint, publicEndpoint: outside ?? endpoint)
        project = try Self.field(options, "project")
        bucketLocation = Self.text(options, "bucket_location")
        guard let source = CredentialsSource(rawValue: Self.text(options, "credentials") ?? "auto") else {
            throw Options.wrong("credentials", "has no such word")
        }
        self.source = source
        credentialsFile = Self.text(options, "credentials_file")
        credentialsJSON = Self.text(options, "credentials_json")
        if credentialsFile != nil && credentialsJSON != nil {
            throw Options.wrong("credentials_json", "is set beside credentials_file: one of them is enough")
        }
        let hasKey = credentialsFile != nil || credentialsJSON != nil
        if source == .key && !hasKey {
            throw Options.wrong("credentials_file", "is missing, although credentials is key")
        }
        if hasKey && source != .auto && source != .key {
            throw Options.wrong("credentials", "says \(source.rawValue), although a key is set")
        }
        metadataEndpoint = try Self.location(options, "metadata_endpoint")
        userProject = try Self.field(options, "user_project")
        signsRemotely = try options.boolean("iam_sign_blob") ?? false
        signerEmail = try Self.field(options, "service_account_email")
        signEndpoint = try Self.location(options, "iam_endpoint", default: "https://iamcredentials.googleapis.com")
        chunkSize = try options.size("chunk_size") ?? 8 << 20
        guard (Self.chunkStep...1 << 30).contains(chunkSize), chunkSize.isMultiple(of: Self.chunkStep) else {
            throw Options.wrong("chunk_size", "is no multiple of 256KiB up to 1GiB")
        }
        readConcurrency = try Self.count(options, "read_concurrency", default: 1, in: 1...64)
        acl = try Self.field(options, "acl")
        storageClass = Self.text(options, "storage_class")
        kmsKey = Self.text(options, "kms_key")
        try readTransport(options)
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
}

// How options are read.
extension Configuration {
    /// A text; one that is empty is not set.
    static func text(_ options: Options, _ name: String) -> String? {
        options.string(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A text that can stand in a header: anything else would only fail at the first request.
    static func field(_ options: Options, _ name: String) throws(BackendError) -> String? {
        guard let value = text(options, name) else { return nil }
        guard value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Options.wrong(name, "holds what no header can")
        }
        return value
    }

    static func location(_ options: Options, _ name: String) throws(BackendError) -> HTTPLocation? {
        guard let text = text(options, name) else { return nil }
        do throws(HTTPLocationError) {
            return try HTTPLocation(parsing: text)
        } catch {
            throw Options.wrong(name, error.reason)
        }
    }

    static func location(
        _ options: Options,
        _ name: String,
        default standard: String
    ) throws(BackendError) -> HTTPLocation {
        if let location = try location(options, name) { return location }
        do throws(HTTPLocationError) {
            return try HTTPLocation(parsing: standard)
        } catch {
            throw Options.wrong(name, error.reason)
        }
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
}
