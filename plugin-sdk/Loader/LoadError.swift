/// Why a file cannot serve as a plugin: which file, which kind of reason, and what to do about it.
public struct LoadError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of reason; each one is found by one check.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// There is no such file, or it cannot be opened.
        case missing
        /// Somebody else could have put it there or could change it.
        case untrusted
        /// Its bytes are not those that the manifest names.
        case hash
        /// Not an ELF file, or a damaged one.
        case notELF
        /// An ELF file for another processor or word size.
        case architecture
        /// An ELF file, but no shared object.
        case notShared
        /// It wants memory that is writable and executable.
        case unsafeMemory
        /// It does not export the entry symbol itself.
        case noEntry
        /// It speaks another major version of the ABI.
        case major
        /// The dynamic linker refuses it, for symbols or libraries that are missing.
        case unresolved
        /// Its entry answered that it cannot run here.
        case refused
        /// What its entry gave is no descriptor.
        case magic
        /// Its descriptor breaks a rule of the ABI.
        case descriptor
        /// Its option table breaks a rule of the ABI.
        case options
        /// It declares a capability without the functions for it.
        case capabilities
        /// Its manifest cannot be read, or says something else than the library.
        case manifest
        /// Its id is taken by another plugin.
        case duplicate
    }

    /// The file, as it was named.
    public var path: String
    /// The kind of reason.
    public var reason: Reason
    /// The reason for a person: lower case, no full stop.
    public var detail: String

    /// Creates an error.
    public init(_ path: String, _ reason: Reason, _ detail: String) {
        self.path = path
        self.reason = reason
        self.detail = detail
    }

    /// `path: detail`.
    public var description: String { "\(path): \(detail)" }
}
