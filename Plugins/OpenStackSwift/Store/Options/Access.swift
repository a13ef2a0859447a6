// Who we are to the store, and where it says so: the options of identity, checked.

package import CofferPluginSDK
package import CofferTransport

/// Who we are to the store, and which of its endpoints we use.
package struct Access: Sendable {
    /// How a token is had.
    package enum Way: Sendable, Hashable {
        /// Nobody is asked: the token was given.
        case given
        /// The store's own service: user and key in headers.
        case v1(user: String, key: String)
        /// Keystone, version 2.
        case v2(user: String, key: String)
        /// Keystone, version 3, with a password.
        case password(key: String)
        /// Keystone, version 3, with an application credential.
        case application(secret: String)
    }

    /// The service that gives tokens; nil where none is asked.
    package let service: HTTPLocation?
    package let way: Way
    /// A token to begin with.
    package let token: String?
    /// The account's URL, where the catalogue is not to say it.
    package let storageURL: HTTPLocation?
    /// The words of identity by their names: those of `os_options`, and those of options of their own.
    package let words: [String: String]

    /// Words of identity, in the order of the documentation.
    package static let names = [
        "project_name", "project_id", "project_domain_name", "project_domain_id", "user_id", "user_domain_name",
        "user_domain_id", "application_credential_id", "application_credential_name", "application_credential_secret",
        "region", "endpoint_type", "service_type", "storage_url", "auth_token",
    ]
    /// What python-swiftclient calls some of them.
    private static let aliases = [
        "tenant_name": "project_name", "tenant_id": "project_id", "region_name": "region",
        "object_storage_url": "storage_url",
    ]

    package init(_ options: Options) throws(BackendError) {
        var words: [String: String] = [:]
        for name in Self.names { words[name] = Configuration.text(options, name) }
        words["user"] = Configuration.text(options, "user")
        var type = ""
        for (given, value) in try options.map("os_options") where !value.isEmpty {
            if given == "auth_type" {
                type = value
                continue
            }
            let name = Self.aliases[given] ?? given
            guard Self.names.contains(name) else {
                throw Options.wrong("os_options", "has a word that has no meaning here: \(given)")
            }
            words[name] = value
        }
        let version = try Self.version(options)
        let key = Configuration.text(options, "key")
        let token = words["auth_token"]
        storageURL = try words["storage_url"].map { text throws(BackendError) in
            try Configuration.location("storage_url", text)
        }
        let authurl = Configuration.text(options, "authurl")
        let hasLogin = key != nil || words["application_credential_secret"] != nil
        guard hasLogin || authurl != nil else {
            // A token alone, for the time that it lives.
            guard token != nil, storageURL != nil else { throw Options.wrong("authurl", "is missing") }
            (service, way, self.token, self.words) = (nil, .given, token, words)
            return
        }
        guard let authurl else { throw Options.wrong("authurl", "is missing") }
        let location = try Configuration.location("authurl", authurl)
        way = try Self.way(version, type, key, &words)
        service = Self.service(location, way)
        self.token = token
        self.words = words
    }

    /// 1, 2 or 3.
    private static func version(_ options: Options) throws(BackendError) -> Int {
        switch Configuration.text(options, "auth_version") ?? "1" {
        case "1", "1.0": 1
        case "2", "2.0": 2
        case "3", "3.0": 3
        default: throw Options.wrong("auth_version", "is none of 1, 2 and 3")
        }
    }

    private static func way(
        _ version: Int,
        _ type: String,
        _ key: String?,
        _ words: inout [String: String]
    ) throws(BackendError) -> Way {
        switch version {
        case 1:
            for name in names where words[name] != nil && name != "storage_url" && name != "auth_token" {
                throw Options.wrong(name, "means nothing to auth_version 1: set auth_version to 3")
            }
            guard let user = words["user"] else { throw Options.wrong("user", "is missing") }
            guard let key else { throw Options.wrong("key", "is missing") }
            guard isField(user), isField(key) else { throw Options.wrong("user or key", "holds what no header can") }
            return .v1(user: user, key: key)
        case 2:
            guard var user = words["user"] else { throw Options.wrong("user", "is missing") }
            guard let key else { throw Options.wrong("key", "is missing") }
            if words["project_name"] == nil, words["project_id"] == nil {
                let halves = user.split(separator: ":", maxSplits: 1)
                guard halves.count == 2 else { throw Options.wrong("project_name", "is missing") }
                (words["project_name"], user) = (String(halves[0]), String(halves[1]))
            }
            return .v2(user: user, key: key)
        default:
            if type == "v3applicationcredential" || words["application_credential_secret"] != nil {
                return try application(words)
            }
            guard type.isEmpty || type == "v3password" || type == "password" else {
                throw Options.wrong(
                    "os_options",
                    "has an auth_type that is unknown: say v3applicationcredential or none"
                )
            }
            guard words["user"] != nil || words["user_id"] != nil else { throw Options.wrong("user", "is missing") }
            guard let key else { throw Options.wrong("key", "is missing") }
            guard words["project_name"] != nil || words["project_id"] != nil else {
                throw Options.wrong("project_name", "is missing: set it, or project_id")
            }
            return .password(key: key)
        }
    }

    private static func application(_ words: [String: String]) throws(BackendError) -> Way {
        guard let secret = words["application_credential_secret"] else {
            throw Options.wrong("application_credential_secret", "is missing")
        }
        guard words["application_credential_id"] != nil || words["application_credential_name"] != nil else {
            throw Options.wrong("application_credential_secret", "is set without application_credential_id or its name")
        }
        if words["application_credential_id"] == nil, words["user"] == nil, words["user_id"] == nil {
            throw Options.wrong("application_credential_name", "is set without user, whose it is")
        }
        if words["project_name"] != nil || words["project_id"] != nil {
            throw Options.wrong("project_name", "means nothing to an application credential, which has its own project")
        }
        return .application(secret: secret)
    }

    private static func isField(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } && value.utf8.first != 0x20 && value.utf8.last != 0x20
    }

    /// Where tokens are asked for: Keystone's URL may be given with its version or without.
    private static func service(_ location: HTTPLocation, _ way: Way) -> HTTPLocation {
        let (version, path): (String, String)
        switch way {
        case .given, .v1: return location
        case .v2: (version, path) = ("/v2.0", "/tokens")
        case .password, .application: (version, path) = ("/v3", "/auth/tokens")
        }
        var base = location.path
        while base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
        if base.hasSuffix(path) { return HTTPLocation(origin: location.origin, target: base) }
        if !base.hasSuffix(version) { base += version }
        return HTTPLocation(origin: location.origin, target: base + path)
    }
}
