// Where credentials come from, and when they are fetched anew.

package import CofferPluginSDK
import CofferTransport
import Glibc

/// Credentials from the first place that has some; temporary ones are fetched anew before they end.
package final class CredentialSource: Sendable {
    /// Where keys are found, in the order of `credentials: auto`.
    private enum Origin: Hashable { case keys, environment, file, container, instance }

    private let configuration: Configuration
    private let environment: @Sendable (String) -> String?
    /// What was found last, where, and whether the store has refused it since.
    private let state = Guarded<(found: (credentials: Credentials, origin: Origin)?, isRefused: Bool)>((nil, false))

    /// Temporary credentials are renewed this long before they end.
    private static let margin: Int64 = 300_000_000_000

    /// Looks nowhere yet.
    package init(_ configuration: Configuration, environment: @escaping @Sendable (String) -> String? = variable) {
        self.configuration = configuration
        self.environment = environment
    }

    /// Whether requests go without a signature.
    package var isAnonymous: Bool { configuration.source == .anonymous }

    /// The credentials of now; one caller fetches, the others wait for it.
    package func credentials(call: Call) throws(BackendError) -> Credentials {
        try state.withLock { state throws(BackendError) in
            if let found = state.found, !state.isRefused {
                guard let expires = found.credentials.expires else { return found.credentials }
                if wallClock() < expires - Self.margin { return found.credentials }
            }
            do throws(BackendError) {
                let fresh = try fetch(call: call)
                state = (fresh, false)
                return fresh.credentials
            } catch {
                // What still works outlives a place that is briefly silent.
                if let found = state.found, let expires = found.credentials.expires, wallClock() < expires,
                    !state.isRefused
                {
                    return found.credentials
                }
                throw error
            }
        }
    }

    /// Drops credentials that the store refused; whether others may be had.
    package func renew(instead refused: Credentials) -> Bool {
        state.withLock { state in
            guard let found = state.found, found.origin != .keys, found.origin != .environment else { return false }
            // Another caller was quicker: there are new ones already.
            guard found.credentials == refused else { return true }
            state.isRefused = true
            return true
        }
    }

    private func fetch(call: Call) throws(BackendError) -> (credentials: Credentials, origin: Origin) {
        let origins: [Origin] =
            switch configuration.source {
            case .auto: [.keys, .environment, .file, .container, .instance]
            case .keys: [.keys]
            case .environment: [.environment]
            case .file: [.file]
            case .container: [.container]
            case .instance: [.instance]
            case .anonymous: []
            }
        var reason: BackendError?
        for origin in origins {
            do throws(BackendError) {
                if let credentials = try fetch(from: origin, call: call) { return (credentials, origin) }
            } catch {
                // Asked for one place, its failure is the answer; of several, the first failure is the best.
                reason = reason ?? error
            }
        }
        throw reason
            ?? BackendError(
                .unauthenticated,
                "there are no credentials: set access_key and secret_key, or say credentials: anonymous"
            )
    }

    private func fetch(from origin: Origin, call: Call) throws(BackendError) -> Credentials? {
        switch origin {
        case .keys: configuration.keys
        case .environment: fromEnvironment()
        case .file: try fromFile()
        case .container: try fromContainer(call: call)
        case .instance: try fromInstance(call: call)
        }
    }

    private func fromEnvironment() -> Credentials? {
        guard let accessKey = environment("AWS_ACCESS_KEY_ID"), let secretKey = environment("AWS_SECRET_ACCESS_KEY")
        else { return nil }
        let token = environment("AWS_SESSION_TOKEN") ?? environment("AWS_SECURITY_TOKEN")
        return Credentials(accessKey: accessKey, secretKey: secretKey, sessionToken: token)
    }

    private func fromFile() throws(BackendError) -> Credentials? {
        let isNamed = configuration.credentialsFile != nil || configuration.source == .file
        let path =
            configuration.credentialsFile ?? environment("AWS_SHARED_CREDENTIALS_FILE")
            ?? environment("HOME").map { $0 + "/.aws/credentials" }
        let profile = configuration.credentialsProfile ?? environment("AWS_PROFILE") ?? "default"
        guard let path else { return nil }
        guard let bytes = contents(path) else {
            guard isNamed else { return nil }
            throw BackendError(.unauthenticated, "the credentials file cannot be read: \(path)")
        }
        let file = SharedCredentialsFile(String(decoding: bytes, as: UTF8.self))
        if let credentials = file.credentials(profile: profile) { return credentials }
        guard isNamed || configuration.credentialsProfile != nil else { return nil }
        throw BackendError(.unauthenticated, "the credentials file has no keys for the profile \(profile): \(path)")
    }

    private func fromContainer(call: Call) throws(BackendError) -> Credentials? {
        let url: String
        if let relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            url = "http://169.254.170.2\(relative)"
        } else if let full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            url = full
        } else {
            return nil
        }
        var token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        if let path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            guard let bytes = contents(path) else {
                throw BackendError(.unauthenticated, "the token of the container's role cannot be read: \(path)")
            }
            token = String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
        }
        return try RoleService(url, "the container's role").containerCredentials(token: token, call: call)
    }

    private func fromInstance(call: Call) throws(BackendError) -> Credentials? {
        if environment("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" { return nil }
        let url =
            configuration.metadataEndpoint ?? environment("AWS_EC2_METADATA_SERVICE_ENDPOINT")
            ?? "http://169.254.169.254"
        return try RoleService(url, "the machine's role").instanceCredentials(call: call)
    }

    /// The bytes of a small file; nil if it cannot be read.
    private func contents(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &block, block.count)
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
        }
        return nil
    }
}

/// A variable of the environment; one that is empty is not set.
package func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
