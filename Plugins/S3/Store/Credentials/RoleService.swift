// The servers that lend a role's keys to whoever runs on a machine or in a container.

import CofferPluginSDK
import CofferTransport

/// One of those servers.
struct RoleService {
    private let location: HTTPLocation
    private let name: String

    /// The server at a URL; `name` is what errors call it.
    init(_ url: String, _ name: String) throws(BackendError) {
        self.name = name
        do throws(HTTPLocationError) {
            location = try HTTPLocation(parsing: url)
        } catch {
            throw BackendError(.unauthenticated, "the URL of \(name) \(error.reason)")
        }
    }

    /// The keys of a container's role.
    func containerCredentials(token: String?, call: Call) throws(BackendError) -> Credentials {
        var headers: HTTPHeaders = ["Accept": "application/json"]
        if let token { headers.add("Authorization", token) }
        return try withEndpoint { endpoint throws(BackendError) in
            try read(try get(location.target, headers, from: endpoint, call: call))
        }
    }

    /// The keys of a machine's role: a token first, then the role's name, then its keys.
    func instanceCredentials(call: Call) throws(BackendError) -> Credentials {
        try withEndpoint { endpoint throws(BackendError) in
            var base = location.path
            while base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
            var headers = HTTPHeaders()
            let question = HTTPRequest(
                "PUT",
                base + "/latest/api/token",
                headers: ["X-aws-ec2-metadata-token-ttl-seconds": "21600"]
            )
            let token = try endpoint.send(question, call: call)
            // An old machine has no tokens and needs none.
            if token.head.isSuccess {
                headers.add("X-aws-ec2-metadata-token", String(decoding: token.body, as: UTF8.self))
            } else if token.status == 400 || token.status == 403 {
                throw BackendError(.unauthenticated, "\(name) is refused to us", native: Int32(token.status))
            }
            let roles = "\(base)/latest/meta-data/iam/security-credentials/"
            let list = try get(roles, headers, from: endpoint, call: call)
            let role = String(decoding: list.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
            guard !role.isEmpty else { throw BackendError(.unauthenticated, "the machine has no role") }
            return try read(try get(roles + percentEncoded(role.utf8), headers, from: endpoint, call: call))
        }
    }

    private func withEndpoint<R>(_ body: (HTTPEndpoint) throws(BackendError) -> R) throws(BackendError) -> R {
        var settings = HTTPSettings()
        // It is near, or it is not there.
        settings.connectTimeout = .seconds(1)
        settings.answerTimeout = .seconds(5)
        settings.retries.attempts = 3
        settings.retries.longestPause = .milliseconds(500)
        settings.proxy = ""
        let endpoint = HTTPEndpoint(location.origin, settings: settings)
        defer { endpoint.close() }
        return try body(endpoint)
    }

    private func get(
        _ target: String,
        _ headers: HTTPHeaders,
        from endpoint: HTTPEndpoint,
        call: Call
    ) throws(BackendError) -> [UInt8] {
        var request = HTTPRequest("GET", target, headers: headers)
        request.answerLimit = 64 << 10
        let answer = try endpoint.send(request, call: call)
        guard answer.head.isSuccess else {
            throw BackendError(.unauthenticated, "\(name) has no keys for us", native: Int32(answer.status))
        }
        return answer.body
    }

    private func read(_ body: [UInt8]) throws(BackendError) -> Credentials {
        guard let credentials = RoleDocument.read(body) else {
            throw BackendError(.unauthenticated, "\(name) answers no keys")
        }
        return credentials
    }
}
