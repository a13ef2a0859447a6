/// The manifest of a plugin, `NAME.backend.json`: what a host knows of it before any of its code runs.
public struct Manifest: Sendable, Hashable {
    /// How the plugin's author wants it run; the operator decides.
    public enum Isolation: String, Sendable, Hashable {
        /// In the host itself.
        case inProcess = "in_process"
        /// In a child of the host's.
        case process
    }

    /// How the name of a manifest ends.
    public static let suffix = ".backend.json"

    #if arch(x86_64)
    /// The name of this machine's kind in manifests.
    public static let architecture = "x86_64-linux-gnu"
    #elseif arch(arm64)
    /// The name of this machine's kind in manifests.
    public static let architecture = "aarch64-linux-gnu"
    #endif

    /// What the plugin says of itself.
    public var description: PluginDescription
    /// The library for each kind of machine, relative to the manifest.
    public var libraries: [String: String]
    /// The SHA-256 of each library, in hexadecimal.
    public var digests: [String: String]
    /// How the author wants it run.
    public var isolation: Isolation

    /// Creates a manifest.
    public init(
        _ description: PluginDescription,
        libraries: [String: String],
        digests: [String: String] = [:],
        isolation: Isolation = .inProcess
    ) {
        self.description = description
        self.libraries = libraries
        self.digests = digests
        self.isolation = isolation
    }

    /// The digest of this machine's library, where there is one.
    public var digest: String? { digests[Manifest.architecture] }

    /// Where this machine's library lies, for a manifest at `path`.
    ///
    /// - Throws: ``LoadError`` if it names none for this machine.
    public func library(forManifestAt path: String) throws(LoadError) -> String {
        guard let name = libraries[Manifest.architecture] else {
            throw LoadError(path, .architecture, "it names no library for \(Manifest.architecture)")
        }
        guard !name.hasPrefix("/") else { return name }
        let slash = path.lastIndex(of: "/")
        return slash.map { path[...$0] + name } ?? "./" + name
    }

    /// Reads the manifest at `path`.
    ///
    /// - Throws: ``LoadError`` with the line where it is wrong.
    public static func read(_ path: String) throws(LoadError) -> Manifest {
        let file = try PluginFile(path)
        try file.checkTrust()
        guard file.size <= 1 << 20, let bytes = file.bytes(at: 0, count: UInt64(file.size)) else {
            throw LoadError(path, .manifest, "it is larger than 1 MiB or cannot be read")
        }
        return try Manifest(parsing: bytes, path: path)
    }

    /// The manifest of the library at `path`, which is loaded for it; `coffer plugin inspect --manifest` prints it.
    ///
    /// - Parameters:
    ///   - path: the library.
    ///   - libraryName: what the manifest calls it; without one, the last part of the path.
    ///   - events: where its lines and numbers go.
    /// - Returns: the manifest, with the library's digest.
    /// - Throws: ``LoadError``.
    public static func inspecting(
        _ path: String,
        libraryName: String? = nil,
        events: HostEvents = HostEvents()
    ) throws(LoadError) -> Manifest {
        let digest = try PluginFile(path).sha256()
        let library = try PluginLibrary.load(path, events: events)
        let name = libraryName ?? path.split(separator: "/").last.map(String.init) ?? path
        return Manifest(
            library.description,
            libraries: [architecture: name],
            digests: [architecture: digest],
            isolation: library.description.wantsProcess ? .process : .inProcess
        )
    }
}
