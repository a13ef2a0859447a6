// What an operator said, judged and in the form that the store wants.

import CofferPluginSDK
import CofferTransport

/// What an operator said, judged and in the form that the store wants.
struct Settings: Sendable {
    /// The collection of the endpoint; its target ends with a slash.
    let location: HTTPLocation
    /// The folders below the endpoint that are the root.
    let root: [[UInt8]]
    /// Whether a PUT goes to the object's own name.
    let isDirect: Bool
    /// Whether metadata are kept as a property.
    let keepsProperties: Bool
    /// Whether the server takes a file's time from an upload, and needs it.
    let datesUploads: Bool
    /// Whether two writes of one object must lie a tick of the server's clock apart.
    let restsBetweenWrites: Bool
    /// Whether the server lists no names that begin with a dot.
    let hidesDots: Bool
    /// How the server is spoken to.
    let http: HTTPSettings
    /// What holds for the instance.
    let traits: Traits

    init(_ options: Options) throws(BackendError) {
        location = try Self.location(try options.required("endpoint"))
        root = try Self.root(options.string("root") ?? "")
        let server = options.string("server") ?? "generic"
        keepsProperties = options.string("properties") == "dead"
        hidesDots = server == "nginx"
        datesUploads = server == "nginx"
        restsBetweenWrites = server == "apache"
        let gathersAside = server == "apache" || server == "nginx"
        switch options.string("upload") ?? "auto" {
        case "direct":
            guard !keepsProperties else {
                throw Options.wrong(
                    "upload",
                    "must be move where properties are kept: both come at once only by a move"
                )
            }
            isDirect = true
        case "move": isDirect = false
        default: isDirect = gathersAside && !keepsProperties
        }
        http = try Self.http(options)

        var native: Capabilities = [
            .stat, .read, .readRange, .readPinned, .write, .remove, .list, .listDelimiter, .listAfter,
            .listSorted, .copy, .move, .directories,
        ]
        // nginx renames over what is there; Apache removes it before it moves, and others do too.
        if server == "nginx" || (server == "apache" && isDirect) { native.insert(.atomicReplace) }
        // The tags of nginx tell no two versions of one size apart that came within a second.
        if server == "apache" || server == "rclone" { native.insert(.readCondition) }
        if keepsProperties { native.formUnion([.contentType, .contentProperties, .userMetadata, .modificationTime]) }
        var traits = Traits(native: native)
        traits.unproven = isDirect ? [.createIfAbsent, .ifMatch, .removeIfMatch] : [.createIfAbsent, .removeIfMatch]
        traits.limits.maxKey = 1024
        if keepsProperties { traits.limits.maxMetadata = 64 << 10 }
        self.traits = traits
    }

    private static func location(_ text: String) throws(BackendError) -> HTTPLocation {
        let given: HTTPLocation
        do throws(HTTPLocationError) {
            given = try HTTPLocation(parsing: text)
        } catch {
            throw Options.wrong("endpoint", error.reason)
        }
        let path = given.target
        guard !path.utf8.contains(UInt8(ascii: "?")) else { throw Options.wrong("endpoint", "must not hold a query") }
        return HTTPLocation(origin: given.origin, target: path.utf8.last == UInt8(ascii: "/") ? path : path + "/")
    }

    private static func root(_ text: String) throws(BackendError) -> [[UInt8]] {
        let segments = text.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
        for segment in segments where segment == Array(".".utf8) || segment == Array("..".utf8) {
            throw Options.wrong("root", "must not hold dot segments")
        }
        return segments
    }

    private static func http(_ options: Options) throws(BackendError) -> HTTPSettings {
        var http = HTTPSettings()
        if let time = try options.milliseconds("connect_timeout") { http.connectTimeout = .milliseconds(Int64(time)) }
        if let time = try options.milliseconds("stall_timeout") {
            http.answerTimeout = .milliseconds(Int64(time))
            http.stallTimeout = .milliseconds(Int64(time))
        }
        http.concurrency = Int(try options.integer("max_concurrency") ?? 32)
        http.caFile = options.string("ca_file")
        http.verifiesTLS = try options.boolean("verify_tls") ?? true
        http.proxy = options.string("proxy")
        // Locked: others change the same file or folder at this moment.
        http.retries.statuses = [423, 429, 502, 503, 504]
        http.retries.attempts = 8
        return http
    }
}
