// The options, read and checked.

package import CofferPluginSDK
package import CofferTransport

/// The options, read and checked.
package struct Configuration: Sendable {
    /// The digest that goes with uploads for the store to verify.
    package enum ChecksumMode: String, Sendable { case none, md5 }
    /// The digest of links.
    package enum LinkDigest: String, Sendable { case sha1, sha256, sha512 }

    package var access: Access
    package var container: String
    package var segmentContainer: String
    package var publicEndpoint: HTTPOrigin?
    package var settings = HTTPSettings()
    package var segmentSize: UInt64
    package var mostSegments: Int
    package var uploadConcurrency: Int
    package var readConcurrency: Int
    package var checksum: ChecksumMode
    /// Whether looks and reads ask every replica.
    package var asksNewest: Bool
    /// Whether a refusal to create what exists is taken for enforced.
    package var enforcesCreation: Bool
    package var linkKey: String?
    package var linkDigest: LinkDigest
    /// Whether links for uploads are signed although no type can be bound to them.
    package var signsUnboundUploads: Bool

    /// Reads the options; `name` is the storage's name, which is the container's where none is set.
    package init(name: String, _ options: Options) throws(BackendError) {
        access = try Access(options)
        let given = Self.text(options, "container")
        container = given ?? name
        guard Self.isContainer(container) else {
            let why = given == nil ? "is missing: the storage's name is no name of a container" : "is no name of one"
            throw Options.wrong("container", why)
        }
        segmentContainer = Self.text(options, "segment_container") ?? container + "_segments"
        guard Self.isContainer(segmentContainer) else { throw Options.wrong("segment_container", "is no name of one") }
        guard !segmentContainer.utf8.elementsEqual(container.utf8) else {
            throw Options.wrong("segment_container", "is the container of the objects: they would stand among segments")
        }
        publicEndpoint = try Self.text(options, "public_endpoint").map { text throws(BackendError) in
            let location = try Self.location("public_endpoint", text)
            guard location.target == "/" else {
                throw Options.wrong("public_endpoint", "has a path: links have their own")
            }
            return location.origin
        }
        segmentSize = try options.size("segment_size") ?? 16 << 20
        guard (1 << 20...SegmentPlan.largestSegment).contains(segmentSize) else {
            throw Options.wrong("segment_size", "is not between 1MiB and 512MiB")
        }
        mostSegments = try Self.count(options, "max_segments", default: 1000, in: 1...100_000)
        uploadConcurrency = try Self.count(options, "upload_concurrency", default: 4, in: 1...64)
        readConcurrency = try Self.count(options, "read_concurrency", default: 1, in: 1...64)
        checksum = try Self.word(options, "checksum_mode", default: .md5)
        asksNewest = try options.boolean("newest") ?? false
        enforcesCreation = try Self.word(options, "enforces", default: Enforcement.none) == .native
        linkKey = Self.text(options, "temp_url_key")
        linkDigest = try Self.word(options, "temp_url_digest", default: .sha256)
        signsUnboundUploads = try options.boolean("unbound_uploads") ?? false
        try readTransport(options)
    }

    private enum Enforcement: String { case none, native }

    private mutating func readTransport(_ options: Options) throws(BackendError) {
        settings.connectTimeout = try Self.duration(options, "connect_timeout", default: 10_000)
        settings.answerTimeout = try Self.duration(options, "answer_timeout", default: 60_000)
        settings.stallTimeout = try Self.duration(options, "stall_timeout", default: 30_000)
        settings.retries.attempts = try Self.count(options, "retries", default: 4, in: 0...100) + 1
        settings.concurrency = try Self.count(options, "connections", default: 64, in: 1...4096)
        settings.proxy = Self.text(options, "proxy")
        settings.caFile = Self.text(options, "ca_file")
        settings.verifiesTLS = try options.boolean("verify_tls") ?? true
        // The word of Swift's own middleware for too many requests.
        settings.retries.statuses.insert(498)
    }

    /// Whether a store could have a container of this name.
    package static func isContainer(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 256 && !name.utf8.contains(UInt8(ascii: "/")) && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
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

    static func word<Word: RawRepresentable>(
        _ options: Options,
        _ name: String,
        default standard: Word
    ) throws(BackendError) -> Word where Word.RawValue == String {
        guard let text = text(options, name) else { return standard }
        guard let word = Word(rawValue: text) else { throw Options.wrong(name, "has no such word") }
        return word
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
