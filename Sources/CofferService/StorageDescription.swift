package import CofferModel

/// What anybody may know of a storage.
package struct StorageDescription: Sendable {
    package var name: String
    /// The backend's id: `local`, `s3`.
    package var backend: String
    package var isDefault: Bool
    /// Made at run time, and gone with the host.
    package var isEphemeral: Bool
    package var state: StorageState
    /// Of the whole stack, with a reason for each that is not native; empty while the storage is failed.
    package var capabilities: Capabilities
    package var limits: StoreLimits
    /// The number of the generation that it was built for.
    package var generation: Int
    package var policy: StoragePolicy
    /// What does not work although the storage can be used; it is tried again.
    package var warning: CofferError?
    /// What the last probe found; nil before the first.
    package var findings: [ProbeFinding]?
}

/// Whether a storage can be used.
package enum StorageState: Sendable, Hashable {
    case open
    /// It could not be opened; every operation throws `unavailable` with this reason.
    case failed(CofferError)
}
