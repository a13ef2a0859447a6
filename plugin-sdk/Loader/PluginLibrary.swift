public import CCofferPlugin
import CLoader
import Glibc
import Synchronization

/// A plugin's file in this process, checked and understood; it stays until the process ends.
///
/// The checks, each with its own reason: the file is there; nobody but root and we could have made it; its bytes are
/// those of the manifest; it is a shared object for this machine that exports the entry itself; and only then its code
/// runs: it is linked, its entry is called, and what that gave is read.
///
/// Unchecked because of the C tables, which never change after ``load(_:manifest:sha256:events:)``.
public final class PluginLibrary: @unchecked Sendable {
    /// The file, as it was named.
    public let path: String
    /// What the plugin says of itself.
    public let description: PluginDescription
    /// Its functions; one that it does not have is nil.
    public let operations: coffer_ops
    /// Its functions for uploads in parts; all of them are nil where it has none.
    public let uploads: coffer_upload
    /// Its one exported function, which gives the same answer each time.
    public let entry: coffer_entry_fn
    private let negotiation: Negotiation
    private let hasShutDown = Atomic<Bool>(false)
    /// Held by every call where the plugin asked for one call at a time.
    let lock: SerialLock?

    private init(_ path: String, _ entry: @escaping coffer_entry_fn, _ negotiation: Negotiation) {
        self.path = path
        self.entry = entry
        self.negotiation = negotiation
        description = negotiation.description
        operations = negotiation.operations
        uploads = negotiation.uploads
        lock = negotiation.threads == COFFER_THREADS_SERIAL_PLUGIN ? SerialLock() : nil
    }

    /// Whether each instance wants one call at a time.
    var isSerialPerInstance: Bool { negotiation.threads == COFFER_THREADS_SERIAL_INSTANCE }

    /// Loads the plugin at `path`, or gives the one that was loaded from the same file before.
    ///
    /// - Parameters:
    ///   - path: the library.
    ///   - manifest: what it must agree with; its digest is checked where it has one.
    ///   - sha256: the digest that the operator wants, in lower-case hexadecimal.
    ///   - events: where its lines and numbers go; the latest receivers of a file hold for all of it.
    /// - Returns: the plugin, ready to be opened.
    /// - Throws: ``LoadError``.
    public static func load(
        _ path: String,
        manifest: Manifest? = nil,
        sha256: String? = nil,
        events: HostEvents = HostEvents()
    ) throws(LoadError) -> PluginLibrary {
        let file = try PluginFile(path)
        try file.checkTrust()
        for (expected, place) in [(manifest?.digest, "the manifest"), (sha256, "the configuration")] {
            if let expected, try file.sha256() != expected {
                throw LoadError(path, .hash, "its SHA-256 is not the one in \(place)")
            }
        }
        let library = try loaded.withLock {
            (table: inout [PluginFile.Identity: Mapped]) throws(LoadError) -> PluginLibrary in
            try found(file, events, &table)
        }
        if let manifest, let difference = library.description.difference(from: manifest.description) {
            throw LoadError(path, .manifest, difference)
        }
        return library
    }

    /// An optional table of the plugin's, by its name: `coffer.upload/1`.
    public func extensionTable(_ name: String) -> UnsafeRawPointer? { negotiation.getExtension?(name) }

    /// Tells the plugin that the process ends; a second time does nothing.
    ///
    /// No instance is open any more.
    public func shutDown() {
        if !hasShutDown.exchange(true, ordering: .acquiringAndReleasing) { negotiation.shutdown?() }
    }

    // MARK: The files of this process

    private struct Mapped {
        var handle: UnsafeMutableRawPointer
        var host: HostContext
        var table: UnsafePointer<coffer_host>
        var library: PluginLibrary?
    }

    private static let loaded = Guarded<[PluginFile.Identity: Mapped]>([:])

    private static func found(
        _ file: PluginFile,
        _ events: HostEvents,
        _ table: inout [PluginFile.Identity: Mapped]
    ) throws(LoadError) -> PluginLibrary {
        let mapped = if let known = table[file.identity] { known } else { try mapped(file, events) }
        mapped.host.events.withLock { $0 = events }
        if let library = mapped.library { return library }
        // Noted before its entry runs: what was mapped stays mapped, whatever the entry says.
        table[file.identity] = mapped
        let library = try negotiated(file.path, mapped)
        table[file.identity]?.library = library
        return library
    }

    private static func mapped(_ file: PluginFile, _ events: HostEvents) throws(LoadError) -> Mapped {
        let probe = try ELFProbe(file)
        let major = Int(COFFER_ABI_CURRENT >> 16)
        if probe.hasExecutableStack { throw LoadError(file.path, .unsafeMemory, "it wants an executable stack") }
        if probe.hasTextRelocations { throw LoadError(file.path, .unsafeMemory, "its code is not relocatable") }
        guard let newest = probe.entryMajors.last else {
            throw LoadError(file.path, .noEntry, "it does not export \(COFFER_ENTRY_SYMBOL) itself")
        }
        guard probe.entryMajors.contains(major) else {
            throw LoadError(
                file.path,
                .major,
                "it speaks ABI \(newest).x (it exports coffer_backend_entry_v\(newest)), this host speaks \(major).x"
            )
        }
        let handle = try open(file, by: probe)
        let host = HostContext(path: file.path, events: events)
        return Mapped(handle: handle, host: host, table: makeHostTable(host))
    }

    /// Hands the very file that was checked to the dynamic linker.
    private static func open(_ file: PluginFile, by probe: ELFProbe) throws(LoadError) -> UnsafeMutableRawPointer {
        // A file that looks for libraries beside itself must be opened under its own name. The directories above it
        // are ours or root's, so that nobody else can swap it.
        let name = probe.usesOrigin ? file.realPath : "/proc/self/fd/\(file.descriptor)"
        guard file.isStillThere else { throw LoadError(file.path, .untrusted, "it changed while it was checked") }
        _ = dlerror()
        guard let handle = coffer_loader_open(name) else {
            let reason = dlerror().map { String(cString: $0) } ?? "it cannot be linked"
            throw LoadError(file.path, .unresolved, readable(reason, name))
        }
        // The linker knows the file by this name: were the number used again, it would take the next file for this one.
        if !probe.usesOrigin { _ = file.keepOpen() }
        return handle
    }

    private static func readable(_ reason: String, _ name: String) -> String {
        let prefix = name + ": "
        let text = reason.hasPrefix(prefix) ? String(reason.dropFirst(prefix.count)) : reason
        return text.replacing(name, with: "it")
    }

    private static func negotiated(_ path: String, _ mapped: Mapped) throws(LoadError) -> PluginLibrary {
        guard let symbol = dlsym(mapped.handle, COFFER_ENTRY_SYMBOL),
            coffer_loader_symbol_is_own(mapped.handle, symbol) != 0
        else {
            throw LoadError(path, .noEntry, "it does not export \(COFFER_ENTRY_SYMBOL) itself")
        }
        let entry = unsafeBitCast(symbol, to: coffer_entry_fn.self)
        var plugin: UnsafePointer<coffer_plugin>?
        let refusal = failure { error in
            plugin = entry(mapped.table, error)
            return plugin == nil
                ? (error.pointee.code == COFFER_OK ? COFFER_E_INTERNAL : error.pointee.code) : COFFER_OK
        }
        guard let plugin else {
            let message = refusal?.message ?? ""
            throw LoadError(path, .refused, message.isEmpty ? "it refuses without a reason" : "it refuses: \(message)")
        }
        return PluginLibrary(path, entry, try Negotiation(path, plugin))
    }
}

extension String {
    /// This text with each `part` replaced.
    fileprivate func replacing(_ part: String, with other: String) -> String {
        let part = Array(part.utf8)
        var result: [UInt8] = []
        var rest = Array(utf8)[...]
        while let first = rest.first {
            let isPart = rest.starts(with: part)
            result += isPart ? Array(other.utf8) : [first]
            rest = rest.dropFirst(isPart ? part.count : 1)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
