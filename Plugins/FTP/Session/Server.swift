// What all connections of an instance have learned about their server.

import CofferPluginSDK

/// One server as an instance knows it: its settings, and what was learned of it.
final class Server: Sendable {
    /// How a name is looked at.
    enum Look: Sendable {
        /// By MLST: everything at once.
        case facts
        /// By SIZE and MDTM.
        case sizeAndTime
        /// By a listing of the directory, where the server has nothing better.
        case listing
    }

    struct Known {
        /// Nil before the first login.
        var features: Features?
        /// The directory that a login leads to, without a slash at its end.
        var home: [UInt8] = []
        var look = Look.sizeAndTime
        /// Whether the answers to EPSV, or else to PASV, are known to be good.
        var knowsPassive = false
        var usesPASV = false
        /// Whether LIST shows hidden names with `-a`; nil before it was tried.
        var listsHidden: Bool?
        /// Directories that were made or seen, by their path on the server.
        var directories: Set<[UInt8]> = []
        /// Whether MFMT worked, or failed.
        var changesTimes: Bool?
    }

    static let mostDirectories = 10_000

    let settings: Settings
    let resolver: Resolver
    let known = Guarded(Known())

    /// A server about which nothing is known but what the operator said.
    init(_ settings: Settings) {
        self.settings = settings
        resolver = Resolver(host: settings.host, port: settings.port)
    }

    /// Where keys begin, without a slash at its end: empty is the root of the server.
    ///
    /// Known after the first login.
    var base: [UInt8] {
        if settings.root.first == UInt8(ascii: "/") { return settings.root.count == 1 ? [] : settings.root }
        let home = known.withLock { $0.home }
        return settings.root.isEmpty ? home : home + [UInt8(ascii: "/")] + settings.root
    }

    /// How names are looked at.
    var look: Look { known.withLock { $0.look } }
    /// Whether directories are listed by MLSD.
    var hasMLSD: Bool {
        switch settings.listCommand {
        case .mlsd: true
        case .list: false
        case .auto: known.withLock { $0.features?.facts != nil }
        }
    }

    /// Takes in what the first login told.
    func learn(_ features: Features, home: [UInt8]) {
        let look: Look = features.facts != nil && settings.listCommand != .list ? .facts : .sizeAndTime
        known.withLock {
            if $0.features == nil { $0.look = look }
            $0.features = features
            $0.home = home
        }
    }

    /// Whether a directory is known to be there.
    func hasDirectory(_ path: [UInt8]) -> Bool { known.withLock { $0.directories.contains(path) } }

    /// Remembers a directory.
    func remember(_ path: [UInt8]) {
        known.withLock {
            if $0.directories.count >= Self.mostDirectories { $0.directories.removeAll() }
            $0.directories.insert(path)
        }
    }

    /// Forgets a directory and everything below it.
    func forget(_ path: [UInt8]) {
        known.withLock { known in
            guard known.directories.remove(path) != nil else { return }
            let below = path + [UInt8(ascii: "/")]
            known.directories = known.directories.filter { !$0.starts(with: below) }
        }
    }
}
