// What an operator said, judged and in the form that the store wants.

import CofferPluginSDK
import CofferTransport

/// What an operator said, judged and in the form that the store wants.
struct Configuration: Sendable {
    /// What the account's owner granted.
    struct Grant: Sendable {
        var accessToken = ""
        var refreshToken = ""
        var appKey = ""
        var appSecret = ""

        /// Whether a new access token can be had.
        var canRefresh: Bool { !refreshToken.isEmpty }
    }

    let grant: Grant
    /// Where calls go that carry no bytes of files, and where those go that do.
    let api: HTTPOrigin
    let content: HTTPOrigin
    /// The folder that holds all objects.
    let names: Names
    /// The namespace that paths begin in; nil is the account's own.
    let namespace: String?
    /// What is larger goes up in parts of this size.
    let partSize: UInt64
    let uploadConcurrency: Int
    let settings: HTTPSettings

    init(_ options: Options) throws(BackendError) {
        grant = try Self.grant(options)
        api = try Self.origin("api_endpoint", options, usual: "api.dropboxapi.com")
        content = try Self.origin("content_endpoint", options, usual: "content.dropboxapi.com")
        names = Names(root: try Self.root(options.string("root_path") ?? ""))
        namespace = try Self.namespace(options.string("namespace") ?? "")
        partSize = try options.size("part_size") ?? 8 << 20
        guard partSize.isMultiple(of: UInt64(ContentHash.block)), (4 << 20...148 << 20).contains(partSize) else {
            throw Options.wrong("part_size", "must be a multiple of 4 MiB, up to 148 MiB")
        }
        uploadConcurrency = Int(try options.integer("upload_concurrency") ?? 4)
        settings = try Self.settings(options)
    }

    private static func grant(_ options: Options) throws(BackendError) -> Grant {
        var grant = Grant()
        grant.accessToken = options.string("access_token") ?? ""
        grant.refreshToken = options.string("refresh_token") ?? ""
        grant.appKey = options.string("app_key") ?? ""
        grant.appSecret = options.string("app_secret") ?? ""
        guard !grant.accessToken.isEmpty || !grant.refreshToken.isEmpty else {
            throw Options.wrong("refresh_token", "is missing, and so is access_token: one of them must be set")
        }
        if !grant.refreshToken.isEmpty && grant.appKey.isEmpty {
            throw Options.wrong("app_key", "is missing: refresh_token works for the app that it was given to")
        }
        for (name, text) in [("access_token", grant.accessToken), ("refresh_token", grant.refreshToken)] {
            guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw Options.wrong(name, "holds a blank, or what is no ASCII")
            }
        }
        return grant
    }

    private static func origin(
        _ name: String,
        _ options: Options,
        usual: String
    ) throws(BackendError) -> HTTPOrigin {
        guard let text = options.string(name), !text.isEmpty else { return HTTPOrigin(isSecure: true, host: usual) }
        let location: HTTPLocation
        do throws(HTTPLocationError) {
            location = try HTTPLocation(parsing: text)
        } catch {
            throw Options.wrong(name, error.reason)
        }
        guard location.target.utf8.elementsEqual("/".utf8) else { throw Options.wrong(name, "must have no path") }
        let isLoopback = ["127.0.0.1", "::1", "localhost"].contains(location.origin.host)
        guard location.origin.isSecure || isLoopback else {
            throw Options.wrong(name, "must be https: a token goes there, and http is for this machine alone")
        }
        return location.origin
    }

    private static func root(_ text: String) throws(BackendError) -> [String] {
        let folders = text.split(separator: "/").map(String.init)
        for folder in folders {
            let isDots = folder.utf8.elementsEqual(".".utf8) || folder.utf8.elementsEqual("..".utf8)
            guard !isDots, !folder.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == 0x5C }) else {
                throw Options.wrong("root_path", "must hold no dot segments, control characters or backslashes")
            }
        }
        return folders
    }

    private static func namespace(_ text: String) throws(BackendError) -> String? {
        guard !text.isEmpty else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
        }
        guard isPlain else { throw Options.wrong("namespace", "is no id of a namespace") }
        return text
    }

    private static func settings(_ options: Options) throws(BackendError) -> HTTPSettings {
        var settings = HTTPSettings()
        func time(_ name: String) throws(BackendError) -> Duration? {
            try options.milliseconds(name).map { .milliseconds(Int64(clamping: $0)) }
        }
        if let given = try time("connect_timeout") { settings.connectTimeout = given }
        if let given = try time("answer_timeout") { settings.answerTimeout = given }
        if let given = try time("stall_timeout") { settings.stallTimeout = given }
        settings.concurrency = Int(try options.integer("connections") ?? 32)
        settings.retries.attempts = Int(try options.integer("retries") ?? 6) + 1
        settings.caFile = options.string("ca_file")
        settings.proxy = options.string("proxy")
        return settings
    }
}
