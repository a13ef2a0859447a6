import Glibc

/// The profile that `coffer profile use` chose, kept in the state folder and outranking the YAML.
///
/// One file for each configuration, named by a hash of its path; the path stands inside, so that two hosts of one user
/// never take each other's word.
struct ChosenProfile {
    private let folder: String
    private let configuration: String

    init(folder: String, configuration: String) {
        self.folder = folder
        self.configuration = configuration
    }

    private var path: String {
        // FNV-1a, 64 bits: a name, not a secret.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in configuration.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\(folder)/profile-\(String(hash, radix: 16))"
    }

    /// The chosen profile; nil if none was chosen for this configuration.
    func read() -> String? {
        guard let text = File.read(path) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 2, lines[0] == configuration, !lines[1].isEmpty else { return nil }
        return String(lines[1])
    }

    /// Keeps `name`; the error number where that fails.
    func write(_ name: String) -> Int32? {
        if let number = Locations.makeFolder(folder, mode: 0o700) { return number }
        return File.replace(path, with: "\(configuration)\n\(name)\n")
    }
}
