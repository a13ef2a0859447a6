// Who asks: basic, digest or bearer.

import CofferPluginSDK
import CofferTransport

/// Puts credentials on requests, as the operator said or the server asks.
final class Credentials: RequestSigner {
    private enum Scheme: Sendable {
        case none, basic, bearer
        case digest(Challenge?)
    }

    private struct State: Sendable {
        var scheme: Scheme
        var password: String
        var token: String
        var count: UInt32 = 0
    }

    private let user: String
    private let mayChoose: Bool
    private let host: HostServices
    private let state: Guarded<State>

    init(_ options: Options, host: HostServices) throws(BackendError) {
        user = options.string("user") ?? ""
        self.host = host
        let token = options.string("token") ?? ""
        let auth = options.string("auth") ?? "auto"
        mayChoose = auth == "auto"
        let scheme: Scheme =
            switch auth {
            case "none": .none
            case "basic": .basic
            case "digest": .digest(nil)
            case "bearer": .bearer
            default: !token.isEmpty ? .bearer : user.isEmpty ? .none : .basic
            }
        switch scheme {
        case .basic, .digest: if user.isEmpty { throw Options.wrong("user", "is missing for this kind of auth") }
        case .bearer: if token.isEmpty { throw Options.wrong("token", "is missing for this kind of auth") }
        case .none: break
        }
        guard !user.utf8.contains(UInt8(ascii: ":")) else { throw Options.wrong("user", "must not hold a colon") }
        state = Guarded(State(scheme: scheme, password: options.string("password") ?? "", token: token))
    }

    func sign(_ request: inout HTTPRequest, origin: HTTPOrigin, call: Call) throws(BackendError) {
        let (method, target) = (request.method, request.target)
        let field: String? = state.withLock { state in
            switch state.scheme {
            case .none, .digest(nil): return nil
            case .basic: return "Basic " + base64("\(user):\(state.password)".utf8)
            case .bearer: return "Bearer " + state.token
            case .digest(let challenge?):
                state.count += 1
                return challenge.answer(
                    user: user,
                    password: state.password,
                    method: method,
                    target: target,
                    count: state.count
                )
            }
        }
        request.headers["Authorization"] = field
    }

    func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool {
        guard head.status == 401 else { return false }
        let password = try host.option("password")
        let token = try host.option("token")
        let challenges = head.headers.values("www-authenticate")
        let digest = challenges.lazy.compactMap { Challenge($0) }.first
        let asksBasic = challenges.contains { $0.lowercased().utf8.starts(with: "basic".utf8) }
        return state.withLock { state in
            var isNew = false
            if let password, !password.utf8.elementsEqual(state.password.utf8) {
                state.password = password
                isNew = true
            }
            if let token, !token.utf8.elementsEqual(state.token.utf8) {
                state.token = token
                isNew = true
            }
            switch state.scheme {
            case .digest(let old):
                guard let digest else { return isNew }
                // The same nonce again, not called stale, means that the password is wrong.
                guard old == nil || digest.isStale || isNew else { return false }
                state.scheme = .digest(digest)
                state.count = 0
                return true
            case .basic where mayChoose && !asksBasic:
                guard let digest else { return isNew }
                state.scheme = .digest(digest)
                state.count = 0
                return true
            default: return isNew
            }
        }
    }
}
