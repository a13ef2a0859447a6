// Where tokens come from, and when they are fetched anew.

package import CofferPluginSDK
package import CofferTransport
import Glibc

/// Tokens from the first place that gives some, fetched anew before they end.
///
/// One caller fetches, the others wait for it, each no longer than its own call allows.
package final class TokenSource: RequestSigner {
    /// Who we are.
    enum Identity: Sendable {
        case document(CredentialsDocument)
        case machine
        case nobody
    }

    private struct State {
        var identity: Identity?
        var token: String?
        /// When the token is fetched anew, and when it ends, by the monotonic clock.
        var renewal: UInt64 = 0
        var end: UInt64 = 0
        var isFetching = false
    }

    private let configuration: Configuration
    private let environment: @Sendable (String) -> String?
    private let state = Guarded(State())
    let service: TokenService

    /// Tokens are renewed this long before they end, in seconds, as the metadata server has new ones only then.
    private static let margin: UInt64 = 225

    /// Reads a key that an option names, and nothing else; one that cannot be used is `config`.
    package init(
        _ configuration: Configuration,
        environment: @escaping @Sendable (String) -> String? = variable
    ) throws(BackendError) {
        self.configuration = configuration
        self.environment = environment
        service = TokenService(configuration: configuration)
        if configuration.credentialsFile != nil || configuration.credentialsJSON != nil {
            let identity = try Self.configured(configuration)
            state.withLock { $0.identity = identity }
        }
    }

    /// Whether requests go without a token.
    package var isAnonymous: Bool { configuration.source == .anonymous }

    // MARK: requests

    package func sign(_ request: inout HTTPRequest, origin: HTTPOrigin, call: Call) throws(BackendError) {
        if let project = configuration.userProject { request.headers["x-goog-user-project"] = project }
        guard !isAnonymous else { return }
        request.headers["authorization"] = "Bearer \(try token(call: call))"
    }

    package func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool {
        guard head.status == 401, !isAnonymous else { return false }
        let sent = request.headers["authorization"]
        state.withLock { state in
            // Another caller was quicker, if there is another token already.
            guard let token = state.token, sent.map({ $0.utf8.elementsEqual("Bearer \(token)".utf8) }) ?? false else {
                return
            }
            state.token = nil
        }
        return true
    }

    // MARK: tokens

    /// The token of now.
    func token(call: Call) throws(BackendError) -> String {
        while true {
            var found: String?
            var isOurs = false
            let isReady = state.wait(until: monotonicNow() + 50_000_000) { state in
                let now = monotonicNow()
                if let token = state.token, now < state.renewal || (state.isFetching && now < state.end) {
                    found = token
                    return true
                }
                guard !state.isFetching else { return false }
                state.isFetching = true
                isOurs = true
                return true
            }
            if let found { return found }
            if isReady, isOurs { return try fetch(call: call) }
            try call.check()
        }
    }

    private func fetch(call: Call) throws(BackendError) -> String {
        defer {
            state.withLock { $0.isFetching = false }
            state.wake(all: true)
        }
        do throws(BackendError) {
            let token: AccessToken
            switch try identity(call: call) {
            case .document(.account(let account)): token = try service.token(for: account, call: call)
            case .document(.user(let user)): token = try service.token(for: user, call: call)
            case .machine: token = try service.machineToken(call: call)
            case .nobody: throw BackendError(.internal, "nobody has a token")
            }
            let now = monotonicNow()
            let life = UInt64(token.seconds)
            state.withLock { state in
                state.token = token.text
                state.renewal = now + (life - min(Self.margin, (life + 3) / 4)) * 1_000_000_000
                state.end = now + life * 1_000_000_000
            }
            return token.text
        } catch {
            // What still works outlives a service that is briefly silent.
            let left = state.withLock { $0.token != nil && monotonicNow() < $0.end ? $0.token : nil }
            if let left, error.code != .cancelled { return left }
            // A key file may have been replaced meanwhile.
            if error.code == .unauthenticated { state.withLock { $0.identity = nil } }
            throw error
        }
    }

    // MARK: who we are

    /// Who we are; found once, and again after a refusal.
    func identity(call: Call) throws(BackendError) -> Identity {
        if let identity = state.withLock({ $0.identity }) { return identity }
        let found = try find()
        state.withLock { $0.identity = found }
        return found
    }

    private func find() throws(BackendError) -> Identity {
        switch configuration.source {
        case .anonymous: return .nobody
        case .metadata: return .machine
        case .key: return try Self.configured(configuration)
        case .applicationDefault:
            if let found = try applicationDefault() { return found }
            throw BackendError(
                .unauthenticated,
                "there are no application default credentials: set GOOGLE_APPLICATION_CREDENTIALS for the host"
            )
        case .auto:
            if configuration.credentialsFile != nil || configuration.credentialsJSON != nil {
                return try Self.configured(configuration)
            }
            return try applicationDefault() ?? .machine
        }
    }

    /// What an option holds.
    private static func configured(_ configuration: Configuration) throws(BackendError) -> Identity {
        if let text = configuration.credentialsJSON { return try read(Array(text.utf8), as: "credentials_json") }
        guard let path = configuration.credentialsFile else {
            throw Options.wrong("credentials_file", "is missing")
        }
        guard let bytes = contents(path) else {
            throw Options.wrong("credentials_file", "names a file that cannot be read: \(path)")
        }
        return try read(bytes, as: "credentials_file")
    }

    private static func read(_ bytes: [UInt8], as option: String) throws(BackendError) -> Identity {
        do throws(CredentialsError) {
            return .document(try CredentialsDocument.read(bytes))
        } catch {
            throw Options.wrong(option, error.reason)
        }
    }

    /// What the environment names, or what gcloud left; nil where there is neither.
    private func applicationDefault() throws(BackendError) -> Identity? {
        let named = environment("GOOGLE_APPLICATION_CREDENTIALS")
        let folder = environment("CLOUDSDK_CONFIG") ?? environment("HOME").map { $0 + "/.config/gcloud" }
        guard let path = named ?? folder.map({ $0 + "/application_default_credentials.json" }) else { return nil }
        guard let bytes = contents(path) else {
            guard named != nil else { return nil }
            throw BackendError(.unauthenticated, "GOOGLE_APPLICATION_CREDENTIALS cannot be read: \(path)")
        }
        do throws(CredentialsError) {
            return .document(try CredentialsDocument.read(bytes))
        } catch {
            throw BackendError(.unauthenticated, "the credentials file \(error.reason): \(path)")
        }
    }

    /// The project of buckets that are listed and made.
    func project(call: Call) throws(BackendError) -> String {
        if let project = configuration.project { return project }
        switch try identity(call: call) {
        case .document(let document):
            if let project = document.project { return project }
        case .machine: return try service.machineProject(call: call)
        case .nobody: break
        }
        throw Options.wrong("project", "is missing: buckets are listed and made in a project")
    }
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

/// A variable of the environment; one that is empty is not set.
package func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
