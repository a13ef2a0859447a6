package import CofferAPI
package import CofferModel
package import CofferService

/// What the routes ask of the host itself, which alone knows plugins and profiles.
package protocol HostControl: Sendable {
    /// The versions of host, API and ABI.
    var version: VersionInfo { get }
    /// Who may do what, as the present configuration says.
    var access: AccessPolicy { get }
    /// The storages, generation by generation.
    var generations: Generations { get }

    /// What is found, what is loaded, from where.
    func plugins() -> [PluginInfo]
    /// The profiles of the configuration, and which is active by whose word.
    func profiles() -> ProfileList
    /// Builds the generation of `profile` and swaps it in; on any error the old one stays.
    func activate(_ profile: String) throws(CofferError) -> ActivationResult
    /// Reads the configuration again and swaps it in; on any error the old one stays.
    func reload() throws(CofferError) -> ActivationResult
    /// Makes a storage at run time from the settings that a configuration would give it.
    func makeStorage(_ name: String, _ body: EphemeralStorageBody) throws(CofferError) -> Storage
    /// Text for `GET /metrics` about what is not a request: connections, threads, plugins.
    func metrics() -> String
    /// Something worth a line in the host's log.
    func log(_ message: String)
}
