import Glibc

/// Where the host's socket is looked for; the same order in every client.
package enum SocketLocation {
    /// `explicit`, then `COFFER_SOCKET`, `$XDG_RUNTIME_DIR/coffer/coffer.sock`, `/run/coffer/coffer.sock`.
    ///
    /// Of the last two, the first one that exists; the first one of all where none does, so that a message names it.
    package static func find(explicit: String? = nil, variable: (String) -> String? = environment) -> String {
        if let explicit { return explicit }
        if let path = variable("COFFER_SOCKET"), !path.isEmpty { return path }
        var places: [String] = []
        if let folder = variable("XDG_RUNTIME_DIR"), !folder.isEmpty { places.append(folder + "/coffer/coffer.sock") }
        places.append("/run/coffer/coffer.sock")
        return places.first { access($0, F_OK) == 0 } ?? places[0]
    }

    /// A variable of this process's environment.
    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}
