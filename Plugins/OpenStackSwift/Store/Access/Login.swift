// Asking for a token.

import CofferPluginSDK
import CofferTransport

/// Asks the service that gives tokens.
struct Login: Sendable {
    private let access: Access
    private let endpoint: HTTPEndpoint?

    init(_ access: Access, _ settings: HTTPSettings) {
        self.access = access
        endpoint = access.service.map { HTTPEndpoint($0.origin, settings: settings) }
    }

    func close() { endpoint?.close() }

    /// Whether a new token can be had.
    var isPossible: Bool { access.way != .given }

    /// A token that was given beforehand, where the account is known too.
    var given: Session? {
        guard let token = access.token, let account = access.storageURL else { return nil }
        return Session(token: token, account: account, expires: nil)
    }

    /// A new session.
    func session(call: Call) throws(BackendError) -> Session {
        guard let endpoint, let service = access.service else {
            throw BackendError(
                .unauthenticated,
                "the store refuses the token: set a new auth_token, or authurl, user and key"
            )
        }
        var request: HTTPRequest
        switch access.way {
        case .given, .v1: request = HTTPRequest("GET", service.target)
        case .v2, .password, .application:
            request = HTTPRequest("POST", service.target, body: IdentityQuestion.body(access))
            request.headers.add("Content-Type", "application/json")
            request.headers.add("Accept", "application/json")
        }
        if case .v1(let user, let key) = access.way {
            request.headers.add("X-Auth-User", user)
            request.headers.add("X-Auth-Key", key)
        }
        request.repetition = .always
        let answer = try endpoint.send(request, call: call)
        guard answer.head.isSuccess else { throw Self.refusal(answer) }
        return try IdentityAnswer.session(answer, access, now: wallClock())
    }

    private static func refusal(_ answer: HTTPAnswer) -> BackendError {
        var error = answer.failure("logging in")
        switch answer.status {
        case 401, 403:
            error.code = .unauthenticated
            error.message = "the login is refused: user, key or project are wrong"
        case 300, 400, 404, 405:
            error.code = .config
            error.message = "the login answers \(answer.status): authurl or auth_version are wrong"
        default: break
        }
        return error
    }
}
