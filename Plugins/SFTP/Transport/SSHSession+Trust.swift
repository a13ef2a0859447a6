// Who the server is: known to a file, or pinned; an unknown one is never accepted.

import CSSH
import CofferPluginSDK

extension SSHSession {
    /// Throws unless the server's key is one that the operator knows.
    func verifyServer() throws(BackendError) {
        var key: ssh_key?
        guard ssh_get_server_publickey(raw, &key) == SSH_OK, let key else { throw lost("the server shows no key") }
        defer { ssh_key_free(key) }
        let kind = ssh_key_type_to_char(ssh_key_type(key)).map { String(cString: $0) } ?? "unknown"
        let shown = Self.fingerprint(of: key)
        switch settings.trust {
        case .pinned(let pins):
            let encoded = Self.encoded(key)
            guard pins.contains(where: { HostKeyPin.matches($0, fingerprint: shown, encoded: encoded) }) else {
                throw refused(
                    "the host key of \(settings.words) is not the one that host_key pins: it shows \(kind) \(shown)"
                )
            }
        case .knownHosts:
            switch ssh_session_is_known_server(raw) {
            case SSH_KNOWN_HOSTS_OK: return
            case SSH_KNOWN_HOSTS_CHANGED, SSH_KNOWN_HOSTS_OTHER:
                throw refused(
                    """
                    the host key of \(settings.words) is not the one in known_hosts: it shows \(kind) \(shown); \
                    either the server was set up anew or somebody stands in between
                    """
                )
            case SSH_KNOWN_HOSTS_UNKNOWN, SSH_KNOWN_HOSTS_NOT_FOUND:
                throw refused(
                    """
                    the host key of \(settings.words) is unknown: \(kind) \(shown); \
                    compare it with the server's, then add it to known_hosts or pin it with host_key
                    """
                )
            default: throw lost("cannot read known_hosts")
            }
        }
    }

    private func refused(_ message: String) -> BackendError { BackendError(.unauthenticated, message) }

    private static func fingerprint(of key: ssh_key) -> String {
        var hash: UnsafeMutablePointer<UInt8>?
        var length = 0
        guard ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) == 0, let hash else { return "" }
        defer { ssh_clean_pubkey_hash_of(hash) }
        guard let text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length) else { return "" }
        defer { ssh_string_free_char(text) }
        return String(cString: text)
    }

    private static func ssh_clean_pubkey_hash_of(_ hash: UnsafeMutablePointer<UInt8>) {
        var hash: UnsafeMutablePointer<UInt8>? = hash
        ssh_clean_pubkey_hash(&hash)
    }

    private static func encoded(_ key: ssh_key) -> String {
        var text: UnsafeMutablePointer<CChar>?
        guard ssh_pki_export_pubkey_base64(key, &text) == SSH_OK, let text else { return "" }
        defer { ssh_string_free_char(text) }
        return String(cString: text)
    }
}

/// A host key that an operator wrote into a profile: `SHA256:…`, or `type base64 [comment]` as in a public key file.
package enum HostKeyPin {
    /// Whether it can be a pin at all.
    package static func isPlausible(_ pin: String) -> Bool {
        let words = pin.split(separator: " ")
        if words.count == 1 { return pin.utf8.starts(with: "SHA256:".utf8) && pin.utf8.count >= 50 }
        return words.count >= 2 && words[1].utf8.starts(with: "AAAA".utf8)
    }

    /// The algorithms of the keys that are pinned whole; nil where only a fingerprint is known, which has no type.
    static func algorithms(of pins: [String]) -> String? {
        var names: [String] = []
        for pin in pins {
            let words = pin.split(separator: " ")
            guard words.count >= 2 else { return nil }
            names.append(words[0] == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : String(words[0]))
        }
        return names.isEmpty ? nil : names.joined(separator: ",")
    }

    /// Whether a pin is the key with this fingerprint and this encoding.
    static func matches(_ pin: String, fingerprint: String, encoded: String) -> Bool {
        let words = pin.split(separator: " ")
        guard let first = words.first else { return false }
        if words.count == 1 {
            // ssh-keygen prints no padding, other tools do.
            let stripped = first.utf8.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
            return !fingerprint.isEmpty && fingerprint.utf8.elementsEqual(stripped)
        }
        return !encoded.isEmpty && words[1].utf8.elementsEqual(encoded.utf8)
    }
}
