// A text that is refused, and what is said about it.

/// A text with the errors that it must get, as `line:column: error: message; hint`.
struct Refusal: CustomStringConvertible, Sendable {
    let text: String
    let errors: [String]

    init(_ text: String, _ errors: [String]) {
        self.text = text
        self.errors = errors
    }

    var description: String { text }
}

/// The lists of words that messages give.
let topKeys =
    "profile, defaults, backends, storages, profiles, default_storage, plugins, socket, access, watch, limits or include"
let backendKeys =
    "url, on_conflict, accept, deny, max_size, read_only, prefix, checksum, writers, atomic, conditions, timeout, "
    + "concurrency, max_link_ttl"
let storageKeys = "backend, " + backendKeys
let onlyStorageKeys =
    "backend, url, on_conflict, accept, deny, max_size, read_only, prefix, checksum, writers, atomic, conditions, "
    + "timeout, concurrency or max_link_ttl"
