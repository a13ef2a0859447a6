// One SSH connection: from a socket to a server that is known and has let us in.

import CSSH
import CofferPluginSDK
import Glibc

/// One SSH connection over libssh, which never blocks here: each step is repeated when the socket is ready.
///
///     socket ──handshake──▶ keys agreed ──verify──▶ server known ──authenticate──▶ let in
///
/// Not thread-safe, as libssh is not: the owner sees to it that one thread at a time is inside.
final class SSHSession {
    let raw: ssh_session
    let settings: SSHSettings

    /// Connects, checks who the server is, and logs in.
    init(_ settings: SSHSettings, call: Call) throws(BackendError) {
        self.settings = settings
        guard let session = ssh_new() else { throw BackendError(.unavailable, "no memory for a connection") }
        raw = session
        let (span, overflow) = monotonicNow().addingReportingOverflow(settings.connectTimeout * 1_000_000)
        let end = overflow ? UInt64.max : span
        ssh_set_blocking(raw, 0)
        try apply()
        let socket = try TCPConnection.open(settings, until: end, call: call)
        var number = socket
        // From here on the socket is libssh's to close.
        guard ssh_options_set(raw, SSH_OPTIONS_FD, &number) == SSH_OK else {
            close(socket)
            throw lost("cannot use the socket")
        }
        try repeating("cannot agree with \(settings.words)", until: end, call: call) { ssh_connect(raw) }
        try verifyServer()
        try authenticate(until: end, call: call)
    }

    deinit {
        ssh_disconnect(raw)
        ssh_free(raw)
    }

    private func apply() throws(BackendError) {
        // The operator's profile says everything: nobody's ssh_config adds to it unseen.
        try set(SSH_OPTIONS_PROCESS_CONFIG, false)
        try set(SSH_OPTIONS_HOST, settings.host, "host")
        try set(SSH_OPTIONS_PORT, UInt32(settings.port))
        if let user = settings.user { try set(SSH_OPTIONS_USER, user, "user") }
        // Counter modes with a tag of their own are the fastest where the processor has AES.
        try set(
            [SSH_OPTIONS_CIPHERS_C_S, SSH_OPTIONS_CIPHERS_S_C],
            "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr"
        )
        try set([SSH_OPTIONS_COMPRESSION_C_S, SSH_OPTIONS_COMPRESSION_S_C], "none")
        switch settings.trust {
        case .knownHosts(let path):
            guard let path else { break }
            try set(SSH_OPTIONS_KNOWNHOSTS, path, "known_hosts")
            try set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null", "known_hosts")
        case .pinned(let pins):
            // What other files know of the host must not choose among its keys.
            try set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null", "host_key")
            try set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null", "host_key")
            if let kinds = HostKeyPin.algorithms(of: pins) { try set(SSH_OPTIONS_HOSTKEYS, kinds, "host_key") }
        }
        if settings.usesAgent, let socket = settings.agentSocket {
            try set(SSH_OPTIONS_IDENTITY_AGENT, socket, "agent_socket")
        }
    }

    private func set(_ option: ssh_options_e, _ value: String, _ name: String) throws(BackendError) {
        guard ssh_options_set(raw, option, value) == SSH_OK else {
            throw Options.wrong(name, "cannot be used")
        }
    }

    private func set(_ options: [ssh_options_e], _ value: String) throws(BackendError) {
        for option in options {
            guard ssh_options_set(raw, option, value) == SSH_OK else { throw lost("cannot set up the connection") }
        }
    }

    private func set<Value: BitwiseCopyable>(_ option: ssh_options_e, _ value: Value) throws(BackendError) {
        var value = value
        guard ssh_options_set(raw, option, &value) == SSH_OK else { throw lost("cannot set up the connection") }
    }

    /// What libssh says of its last failure; it holds no secret.
    var reason: String {
        guard let text = ssh_get_error(UnsafeMutableRawPointer(raw)) else { return "" }
        return String(cString: text).lowercased()
    }

    /// An error of a connection that does not work.
    func lost(_ what: String) -> BackendError {
        let reason = reason
        return BackendError(.unavailable, reason.isEmpty ? what : "\(what): \(reason)", isRetryable: true)
    }

    /// Repeats a step until libssh has done it.
    func repeating(
        _ what: String,
        until end: UInt64,
        call: Call,
        _ step: () -> Int32
    ) throws(BackendError) {
        while true {
            let result = step()
            if result == SSH_OK { return }
            guard result == SSH_AGAIN else { throw lost(what) }
            try rest(what, until: end, call: call)
        }
    }

    /// Waits until the socket is ready for what libssh wants of it.
    func rest(_ what: String, until end: UInt64, call: Call) throws(BackendError) {
        try call.check()
        let now = monotonicNow()
        guard now < end else {
            throw BackendError(.timeout, "\(what): it takes too long", isRetryable: true)
        }
        try awaitReady(ssh_get_fd(raw), events, until: min(end, call.deadline ?? .max), call: call)
    }

    /// What libssh waits for.
    var events: Int16 {
        ssh_get_poll_flags(raw) & SSH_WRITE_PENDING != 0 ? Int16(POLLIN | POLLOUT) : Int16(POLLIN)
    }
}
