// The options of a storage on GridFS, and what they make.

import CGridFS
import CofferPluginSDK
import Glibc

/// The options of a storage on GridFS.
struct Configuration {
    /// The prefix of its collections.
    let bucket: String
    /// How large the chunks of new objects are.
    let chunkSize: Int
    /// How old what a killed writer left must be.
    let abandonedAfter: Int64
    let server: Server

    /// Reads the options; no network.
    init(name: String, _ options: Options) throws(BackendError) {
        bucket = options.string("container") ?? name
        chunkSize = try Self.number("chunk_size", options, default: 255 << 10, in: 1024...(15 << 20))
        abandonedAfter = Int64(
            try Self.number("abandoned_after", options, default: 86_400_000, in: 60_000...(.max / 2))
        )
        guard Bucket.isName(bucket) else { throw Options.wrong("container", "is no prefix of a collection") }
        server = try Self.server(options)
    }

    /// A number, a size or a duration; a host has checked it already, but not every caller is our host.
    private static func number(
        _ name: String,
        _ options: Options,
        default value: Int,
        in bounds: ClosedRange<Int>
    ) throws(BackendError) -> Int {
        guard let given = try options.integer(name) else { return value }
        guard let number = Int(exactly: given), bounds.contains(number) else {
            throw Options.wrong(name, "is not between \(bounds.lowerBound) and \(bounds.upperBound)")
        }
        return number
    }

    /// What stands in the URI's place where an option speaks.
    private static let spoken: [(option: String, inURI: String)] = [
        ("username", "username"), ("password", "password"), ("auth_source", "authSource"),
        ("auth_mechanism", "authMechanism"), ("replica_set", "replicaSet"), ("tls", "tls"),
        ("tls_ca_file", "tlsCAFile"), ("tls_certificate_key_file", "tlsCertificateKeyFile"),
        ("tls_certificate_key_password", "tlsCertificateKeyFilePassword"),
        ("tls_allow_invalid_certificates", "tlsAllowInvalidCertificates"), ("read_preference", "readPreference"),
        ("read_concern", "readConcernLevel"), ("write_concern", "w"),
    ]

    private static func server(_ options: Options) throws(BackendError) -> Server {
        let uri = try options.required("uri")
        var pairs: [gridfs_option] = []
        var texts: [UnsafeMutablePointer<CChar>?] = []
        defer {
            for text in texts {
                // A password may be among them.
                if let text { explicit_bzero(text, strlen(text)) }
                free(text)
            }
        }
        for (option, name) in spoken {
            guard let value = options.string(option), !value.isEmpty else { continue }
            guard !value.utf8.contains(0) else { throw Options.wrong(option, "holds a zero byte") }
            let pair = (strdup(name), strdup(value))
            texts += [pair.0, pair.1]
            pairs.append(gridfs_option(name: UnsafePointer(pair.0), value: UnsafePointer(pair.1)))
        }
        var settings = gridfs_settings()
        settings.stall_ms = Int32(try number("socket_timeout", options, default: 30_000, in: 100...3_600_000))
        settings.connect_ms = Int32(try number("connect_timeout", options, default: 5_000, in: 100...600_000))
        settings.selection_ms = Int32(
            try number("server_selection_timeout", options, default: 5_000, in: 0...600_000)
        )
        settings.most_clients = try number("pool_size", options, default: 32, in: 1...1000)
        var wrong: UnsafePointer<CChar>?
        let store = uri.withCString { uri in
            pairs.withUnsafeBufferPointer { pairs in
                settings.uri = uri
                settings.options = pairs.baseAddress
                settings.n_options = pairs.count
                return gridfs_store_open(&settings, &wrong)
            }
        }
        guard let store else {
            let name = wrong.map { String(cString: $0) }
            let option = spoken.first { $0.inURI.utf8.elementsEqual((name ?? "").utf8) }?.option
            throw Options.wrong(option ?? "uri", option == nil ? "is no MongoDB URI" : "has no such value")
        }
        guard let database = options.string("database") ?? gridfs_store_database(store).map({ String(cString: $0) })
        else {
            gridfs_store_close(store)
            throw Options.wrong("database", "is missing, and uri names none")
        }
        let forbidden = Array(#"/\. "$"#.utf8) + [0]
        guard !database.isEmpty, database.utf8.count < 64, !database.utf8.contains(where: forbidden.contains) else {
            gridfs_store_close(store)
            throw Options.wrong("database", "is no name of a database")
        }
        return Server(store, database: database)
    }
}
