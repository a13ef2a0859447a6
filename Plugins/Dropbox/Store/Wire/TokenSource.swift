// Who asks: an access token, and where a new one comes from.

import CofferJSON
import CofferPluginSDK
import CofferTransport

/// Puts the access token on requests, and fetches one that lives where a refresh token is set.
///
/// One thread at a time fetches; the others wait for what it brings.
final class TokenSource: RequestSigner {
    private struct State: Sendable {
        var token: String
        /// When the token is to be left alone, by the monotonic clock.
        var end: UInt64
        var isFetching = false
    }

    /// A token is renewed so long before it ends.
    private static let margin: UInt64 = 60

    private let grant: Configuration.Grant
    private let host: HostServices
    private let endpoint: HTTPEndpoint
    private let state: Guarded<State>

    init(_ configuration: Configuration, host: HostServices) {
        grant = configuration.grant
        self.host = host
        endpoint = HTTPEndpoint(configuration.api, settings: configuration.settings)
        // When a token ends that an operator gave, nobody said.
        state = Guarded(State(token: grant.accessToken, end: grant.accessToken.isEmpty ? 0 : .max))
    }

    func close() { endpoint.close() }

    func sign(_ request: inout HTTPRequest, origin: HTTPOrigin, call: Call) throws(BackendError) {
        request.headers["Authorization"] = "Bearer \(try token(call))"
    }

    func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool {
        guard head.status == 401 else { return false }
        let used = request.headers["Authorization"] ?? ""
        let given = grant.canRefresh ? nil : try host.option("access_token")
        let isOther = state.withLock { state in
            if let given, !given.isEmpty { state.token = given }
            let isOther = !"Bearer \(state.token)".utf8.elementsEqual(used.utf8)
            if !isOther && grant.canRefresh { state.end = 0 }
            return isOther
        }
        return isOther || grant.canRefresh
    }

    /// A token that lives, as far as anybody knows.
    private func token(_ call: Call) throws(BackendError) -> String {
        while true {
            var token: String?
            var isMine = false
            let isOver = state.wait(until: monotonicNow() + 50_000_000) { state in
                if state.end > monotonicNow() {
                    token = state.token
                    return true
                }
                guard !state.isFetching else { return false }
                state.isFetching = true
                isMine = true
                return true
            }
            if let token { return token }
            guard isOver, isMine else {
                try call.check()
                continue
            }
            return try fetch(call)
        }
    }

    /// Fetches a token, and keeps it.
    private func fetch(_ call: Call) throws(BackendError) -> String {
        defer {
            state.withLock { $0.isFetching = false }
            state.wake(all: true)
        }
        let answer = try endpoint.send(try question(), call: call)
        // An answer that is no JSON is judged by its status.
        let document = try? JSONValue(parsing: answer.body)
        guard answer.head.isSuccess else { throw refusal(answer, document) }
        guard let token = document?["access_token"]?.stringValue, !token.isEmpty else {
            throw BackendError(.io, "renewing the access token: dropbox gives none")
        }
        let seconds = UInt64(clamping: document?["expires_in"]?.integerValue ?? 14_400)
        let life = seconds > 2 * Self.margin ? seconds - Self.margin : seconds / 2
        state.withLock { state in
            state.token = token
            state.end = monotonicNow() + min(life, 1 << 30) * 1_000_000_000
        }
        return token
    }

    private func question() throws(BackendError) -> HTTPRequest {
        var refresh = grant.refreshToken
        // An operator may have set another one since.
        if let now = try host.option("refresh_token"), !now.isEmpty { refresh = now }
        var body = "grant_type=refresh_token&refresh_token=\(percentEncoded(refresh.utf8))"
        body += "&client_id=\(percentEncoded(grant.appKey.utf8))"
        if !grant.appSecret.isEmpty { body += "&client_secret=\(percentEncoded(grant.appSecret.utf8))" }
        var request = HTTPRequest(
            "POST",
            "/oauth2/token",
            headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: Array(body.utf8)
        )
        request.repetition = .always
        return request
    }

    private func refusal(_ answer: HTTPAnswer, _ document: JSONValue?) -> BackendError {
        var error = answer.failure("renewing the access token")
        guard answer.status == 400 || answer.status == 401 else { return error }
        error.code = .unauthenticated
        let isGrant = document?["error"]?.stringValue?.utf8.elementsEqual("invalid_grant".utf8) ?? false
        error.message =
            isGrant
            ? "dropbox does not take refresh_token: it was revoked, or belongs to another app"
            : "dropbox does not take app_key and app_secret"
        return error
    }
}
