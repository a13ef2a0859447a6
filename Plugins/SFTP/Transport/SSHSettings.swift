// How a server is reached, who it must be, and who we are to it.

/// How a server is reached, who it must be, and who we are to it.
package struct SSHSettings: Sendable {
    /// Who the server must be; an unknown one is never accepted.
    package enum Trust: Sendable {
        /// Known to a file in OpenSSH's format; nil is the user's own and the machine's.
        case knownHosts(path: String?)
        /// One of these keys: `SHA256:…` fingerprints, or `type base64` public keys.
        case pinned([String])
    }

    /// A private key.
    package enum PrivateKey: Sendable {
        /// In a file.
        case file(String)
        /// As text: PEM or OpenSSH's own format.
        case text(String)
    }

    /// Its name or address.
    package var host: String
    /// Its port.
    package var port: UInt16 = 22
    /// Whom we log in as; nil is the user of this process.
    package var user: String?
    /// Who it must be.
    package var trust = Trust.knownHosts(path: nil)
    /// The key to log in with.
    package var key: PrivateKey?
    /// What opens the key.
    package var passphrase: String?
    /// Whether the keys of an agent are tried, and where it listens; nil is where `SSH_AUTH_SOCK` says.
    package var usesAgent = false
    /// Where the agent listens.
    package var agentSocket: String?
    /// The password to log in with.
    package var password: String?
    /// Milliseconds until connected and let in.
    package var connectTimeout: UInt64 = 15_000
    /// Seconds without traffic after which the kernel asks whether the peer lives; 0 is never.
    package var keepalive: UInt32 = 30

    /// A server by its name.
    package init(host: String) { self.host = host }

    /// The server, for people.
    package var words: String { port == 22 ? host : "\(host) port \(port)" }
}
