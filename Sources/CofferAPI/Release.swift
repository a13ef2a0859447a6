/// Which version of Coffer this is; hosts and clients of one build share it.
public enum Release {
    /// The version, as in the changelog.
    public static let version = "0.1.0"
    /// The version of the plugin ABI.
    public static let abi = "1.0"
}
