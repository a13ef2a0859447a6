// The options, read and checked.

import CofferCrypto
package import CofferPluginSDK
package import CofferTransport

/// The options, read and checked.
package struct Configuration: Sendable {
    /// What proves who asks.
    package enum Login: Sendable {
        case key([UInt8])
        case signature(String)
        case application(TokenSource.Application)
    }

    package var place: Place
    package var login: Login
    package var settings = HTTPSettings()
    package var partSize: UInt64
    package var uploadConcurrency: Int
    package var readConcurrency: Int
    /// Whether the MD5 of every body goes with it, for the service to verify.
    package var sendsDigests: Bool
    /// Whether an object's snapshots are removed along with it.
    package var removesSnapshots: Bool
    /// Headers of every request that makes a blob.
    package var creation = HTTPHeaders()

    /// Reads the options; `name` is the storage's name, which is the container's where none is set.
    package init(name: String, _ options: Options) throws(BackendError) {
        let connection = try Self.text(options, "connection_string").map { text throws(BackendError) in
            try ConnectionString(text)
        }
        place = try Self.place(name, options, connection)
        login = try Self.login(options, connection)
        partSize = try options.size("part_size") ?? 8 << 20
        guard (BlockPlan.smallestPart...BlockPlan.largestBlock).contains(partSize) else {
            throw Options.wrong("part_size", "is not between 64KiB and 4000MiB")
        }
        uploadConcurrency = try Self.count(options, "upload_concurrency", default: 4, in: 1...64)
        readConcurrency = try Self.count(options, "read_concurrency", default: 1, in: 1...64)
        removesSnapshots = try options.boolean("delete_snapshots") ?? false
        switch options.string("checksum_mode") ?? "none" {
        case "none": sendsDigests = false
        case "md5": sendsDigests = true
        default: throw Options.wrong("checksum_mode", "has no such word")
        }
        if let tier = Self.text(options, "access_tier") {
            guard tier.utf8.allSatisfy({ (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }) else {
                throw Options.wrong("access_tier", "is no name of a tier")
            }
            creation.add("x-ms-access-tier", tier)
        }
        settings.connectTimeout = try Self.duration(options, "connect_timeout", default: 10_000)
        settings.answerTimeout = try Self.duration(options, "answer_timeout", default: 60_000)
        settings.stallTimeout = try Self.duration(options, "stall_timeout", default: 30_000)
        settings.retries.attempts = try Self.count(options, "retries", default: 4, in: 0...100) + 1
        settings.concurrency = try Self.count(options, "connections", default: 64, in: 1...4096)
        settings.proxy = Self.text(options, "proxy")
        settings.caFile = Self.text(options, "ca_file")
        settings.verifiesTLS = try options.boolean("verify_tls") ?? true
    }

    private static func place(
        _ name: String,
        _ options: Options,
        _ connection: ConnectionString?
    ) throws(BackendError) -> Place {
        let container = text(options, "container") ?? name
        guard BlobName.isContainer(container) else {
            throw Options.wrong(
                "container",
                text(options, "container") == nil
                    ? "is missing: the storage's name is no name of a container"
                    : "is no name of a container: 3 to 63 small letters, digits and single dashes"
            )
        }
        let named = text(options, "account") ?? connection?.account
        let endpoint: HTTPLocation
        if let url = text(options, "endpoint") {
            endpoint = try location("endpoint", url)
        } else if let url = connection?.endpoint {
            endpoint = try location("connection_string", url)
        } else if let named {
            guard isAccount(named) else { throw Options.wrong("account", "is no name of an account") }
            let suffix = text(options, "endpoint_suffix") ?? "core.windows.net"
            endpoint = try location("endpoint_suffix", "https://\(named).blob.\(suffix)")
        } else {
            throw Options.wrong("account", "is missing: set it, endpoint or connection_string")
        }
        guard let account = named ?? account(of: endpoint), isAccount(account) else {
            throw Options.wrong("account", "is missing, and the endpoint does not tell it")
        }
        let visible = try text(options, "public_endpoint").map { text throws(BackendError) in
            try location("public_endpoint", text)
        }
        return Place(account: account, container: container, endpoint: endpoint, visible: visible)
    }

    /// The account in a URL: the end of its path at an emulator, else the first word of the host.
    private static func account(of endpoint: HTTPLocation) -> String? {
        if let last = endpoint.path.split(separator: "/").last { return String(last) }
        let words = endpoint.origin.host.split(separator: ".")
        guard words.count > 2, words.contains(where: { Int($0) == nil }) else { return nil }
        return String(words[0])
    }

    private static func isAccount(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D }
    }

    private static func login(_ options: Options, _ connection: ConnectionString?) throws(BackendError) -> Login {
        let (key, signature) = (text(options, "key"), text(options, "sas_token"))
        let names = ["tenant_id", "client_id", "client_secret"]
        let application = names.filter { text(options, $0) != nil }
        guard [key != nil, signature != nil, !application.isEmpty].count(where: { $0 }) < 2 else {
            throw Options.wrong(
                key != nil ? "key" : "sas_token",
                "is set beside other credentials: set key, sas_token, or tenant_id with client_id and client_secret"
            )
        }
        if !application.isEmpty {
            if let missing = names.first(where: { text(options, $0) == nil }) {
                throw Options.wrong(missing, "is missing, although \(application[0]) is set")
            }
            return .application(
                TokenSource.Application(
                    authority: try location(
                        "authority",
                        text(options, "authority") ?? "https://login.microsoftonline.com"
                    ),
                    tenant: text(options, "tenant_id") ?? "",
                    client: text(options, "client_id") ?? "",
                    secret: text(options, "client_secret") ?? ""
                )
            )
        }
        if let signature { return .signature(try query("sas_token", signature)) }
        if let key = key ?? connection?.key {
            let option = text(options, "key") == nil ? "connection_string" : "key"
            guard let bytes = bytes(base64: key), !bytes.isEmpty else {
                throw Options.wrong(option, "holds no key: a key is Base64")
            }
            return .key(bytes)
        }
        if let signature = connection?.signature { return .signature(try query("connection_string", signature)) }
        throw Options.wrong(
            "key",
            "is missing: set it, sas_token, connection_string, or tenant_id with client_id and client_secret"
        )
    }

    /// A signature as a query without its question mark.
    private static func query(_ option: String, _ text: String) throws(BackendError) -> String {
        let query = text.utf8.first == UInt8(ascii: "?") ? String(text.dropFirst()) : text
        let isSigned = query.split(separator: "&").contains { $0.utf8.starts(with: "sig=".utf8) }
        guard isSigned, query.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw Options.wrong(option, "holds no shared access signature: it is a query with sig= in it")
        }
        return query
    }
}

// How options are read.
extension Configuration {
    /// A text; one that is empty is not set.
    private static func text(_ options: Options, _ name: String) -> String? {
        options.string(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func location(_ option: String, _ text: String) throws(BackendError) -> HTTPLocation {
        let location: HTTPLocation
        do throws(HTTPLocationError) {
            location = try HTTPLocation(parsing: text)
        } catch {
            throw Options.wrong(option, error.reason)
        }
        guard location.target.utf8.elementsEqual(location.path.utf8) else {
            throw Options.wrong(option, "has a query: a signature belongs into sas_token")
        }
        return location
    }

    private static func count(
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

    private static func duration(
        _ options: Options,
        _ name: String,
        default standard: UInt64
    ) throws(BackendError) -> Duration {
        let number = try options.milliseconds(name) ?? standard
        guard (1...3_600_000).contains(number) else { throw Options.wrong(name, "is not between 1ms and 1h") }
        return .milliseconds(Int64(number))
    }
}
