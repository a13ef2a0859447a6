import Glibc

/// Where the host looks for things, and where it keeps them.
enum Locations {
    /// The value of an environment variable; nil if it is unset or empty.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// The first configuration there is, and every place that was looked at.
    static func configuration(argument: String?) -> (path: String?, tried: [String]) {
        if let named = argument ?? environment("COFFER_CONFIG") { return (absolute(named), [named]) }
        var places = ["./coffer.yaml"]
        if let home = environment("HOME") { places.append("\(home)/.config/coffer/coffer.yaml") }
        places.append("/etc/coffer/coffer.yaml")
        let found = places.first { access($0, F_OK) == 0 }
        return (found.map(absolute), places)
    }

    /// Where to listen.
    static func socket(argument: String?, configured: String?) -> String {
        if let named = argument ?? environment("COFFER_SOCKET") { return absolute(named) }
        if let configured { return configured }
        if let runtime = environment("XDG_RUNTIME_DIR") { return "\(runtime)/coffer/coffer.sock" }
        return "/run/coffer/coffer.sock"
    }

    /// The folder for what must outlive the process.
    static var state: String {
        if let given = environment("STATE_DIRECTORY") { return absolute(given) }
        if let home = environment("HOME"), home != "/" { return "\(home)/.local/state/coffer" }
        return "/var/lib/coffer"
    }

    /// The folders that are searched for plugins, first one first.
    static var plugins: [String] {
        var folders: [String] = []
        if let path = environment("COFFER_PLUGIN_PATH") { folders += path.split(separator: ":").map(String.init) }
        if let home = environment("HOME") { folders.append("\(home)/.local/lib/coffer/plugins") }
        folders += ["/usr/local/lib/coffer/plugins", "/usr/lib/coffer/plugins"]
        if let own = executableFolder { folders += [own, "\(own)/../lib/coffer/plugins"] }
        return folders
    }

    /// The folder of this program's file.
    static var executableFolder: String? {
        guard let path = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(path) }
        let text = String(cString: path)
        return text.lastIndex(of: "/").map { String(text[..<$0]) }
    }

    /// `path` from the root, as seen from the working directory.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return String(cString: folder) + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    /// Makes `path` and every folder above it that is missing; the error number where one cannot be made.
    static func makeFolder(_ path: String, mode: mode_t) -> Int32? {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, mode) != 0 && errno != EEXIST { return errno }
        }
        return nil
    }
}
