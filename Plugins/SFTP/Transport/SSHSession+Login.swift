// Logging in: the key, the agent, the password, in this order, as far as the operator gave them.

import CSSH
import CofferPluginSDK

extension SSHSession {
    private typealias Attempt = (name: String, step: () -> Int32)

    /// Logs in by the first way that the server takes.
    func authenticate(until end: UInt64, call: Call) throws(BackendError) {
        var attempts: [Attempt] = []
        var key: ssh_key?
        defer { if let key { ssh_key_free(key) } }
        if let source = settings.key {
            let loaded = try load(source)
            key = loaded
            attempts.append(("the key", { ssh_userauth_publickey(self.raw, nil, loaded) }))
        }
        if settings.usesAgent { attempts.append(("the agent", { ssh_userauth_agent(self.raw, nil) })) }
        if let password = settings.password {
            attempts.append(("the password", { ssh_userauth_password(self.raw, nil, password) }))
            attempts.append(("the password by prompt", { self.answerPrompts(password) }))
        }
        guard !attempts.isEmpty else {
            throw BackendError(.config, "option key is missing: set key, key_file, agent or password")
        }
        var tried: [String] = []
        for (name, step) in attempts {
            switch try outcome(of: step, name, until: end, call: call) {
            case SSH_AUTH_SUCCESS.rawValue: return
            case SSH_AUTH_PARTIAL.rawValue: tried.append("\(name) was taken, and more is wanted")
            case SSH_AUTH_DENIED.rawValue: tried.append("\(name) was refused")
            default:
                guard ssh_is_connected(raw) != 0 else {
                    // A server hangs up after too many attempts.
                    throw BackendError(
                        .unauthenticated,
                        "\(settings.words) ended the login of \(userWords) with \(name)"
                    )
                }
                tried.append("\(name) did not work")
            }
        }
        throw BackendError(
            .unauthenticated,
            "\(settings.words) does not let \(userWords) in: \(tried.joined(separator: ", "))"
        )
    }

    private var userWords: String { settings.user ?? "this user" }

    private func outcome(
        of step: () -> Int32,
        _ name: String,
        until end: UInt64,
        call: Call
    ) throws(BackendError) -> Int32 {
        while true {
            let result = step()
            guard result == SSH_AUTH_AGAIN.rawValue else { return result }
            try rest("logging in with \(name)", until: end, call: call)
        }
    }

    /// Reads the private key; what is wrong with it is the operator's business, and holds nothing of it.
    private func load(_ source: SSHSettings.PrivateKey) throws(BackendError) -> ssh_key {
        var key: ssh_key?
        let name: String
        let result: Int32
        switch source {
        case .file(let path):
            name = "key_file"
            result = ssh_pki_import_privkey_file(path, settings.passphrase, nil, nil, &key)
        case .text(let text):
            name = "key"
            result = ssh_pki_import_privkey_base64(text, settings.passphrase, nil, nil, &key)
        }
        guard result == SSH_OK, let key else {
            throw BackendError(
                .unauthenticated,
                result == SSH_EOF
                    ? "option \(name) names a file that is missing or not readable"
                    : "option \(name) holds no private key that this passphrase opens"
            )
        }
        return key
    }

    /// Answers each hidden question with the password, as servers ask for it that know no other way.
    private func answerPrompts(_ password: String) -> Int32 {
        var rounds = 0
        while rounds < 8 {
            let result = ssh_userauth_kbdint(raw, nil, nil)
            guard result == SSH_AUTH_INFO.rawValue else { return result }
            rounds += 1
            for index in 0..<max(0, ssh_userauth_kbdint_getnprompts(raw)) {
                var isEchoed: CChar = 0
                _ = ssh_userauth_kbdint_getprompt(raw, UInt32(index), &isEchoed)
                guard ssh_userauth_kbdint_setanswer(raw, UInt32(index), isEchoed == 0 ? password : "") == 0 else {
                    return SSH_AUTH_ERROR.rawValue
                }
            }
        }
        return SSH_AUTH_DENIED.rawValue
    }
}
