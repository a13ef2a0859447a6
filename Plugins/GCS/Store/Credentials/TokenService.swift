// The servers that give tokens.

import CofferCrypto
import CofferJSON
import CofferPluginSDK
import CofferTransport

/// A token, and for how long it works.
package struct AccessToken: Sendable {
    package var text: String
    package var seconds: Int64

    /// Reads what a token service answers; nil if it is no token.
    package static func read(_ body: [UInt8]) -> AccessToken? {
        // What is no JSON holds no token either.
        guard let document = try? JSONValue(parsing: body), let text = document["access_token"]?.stringValue,
            !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return AccessToken(text: text, seconds: max(1, document["expires_in"]?.integerValue ?? 3600))
    }
}

/// Asks the servers that give tokens.
struct TokenService {
    /// What tokens are good for: objects and buckets, read and written.
    static let scope = "https://www.googleapis.com/auth/devstorage.full_control"
    /// With it Google signs links too.
    static let scopeWithSigning = "https://www.googleapis.com/auth/cloud-platform"

    let configuration: Configuration

    private var scope: String { configuration.signsRemotely ? Self.scopeWithSigning : Self.scope }

    /// A token for a service account.
    func token(for account: ServiceAccount, call: Call) throws(BackendError) -> AccessToken {
        guard let assertion = Assertion.text(for: account, scope: scope, now: wallClock() / 1_000_000_000) else {
            throw BackendError(.unauthenticated, "the private key cannot sign")
        }
        let form = [
            (name: "grant_type", value: "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            (name: "assertion", value: assertion),
        ]
        return try exchange(form, at: account.tokenLocation, call: call)
    }

    /// A token for a user.
    func token(for user: UserCredentials, call: Call) throws(BackendError) -> AccessToken {
        let form = [
            (name: "grant_type", value: "refresh_token"), (name: "client_id", value: user.clientID),
            (name: "client_secret", value: user.clientSecret), (name: "refresh_token", value: user.refreshToken),
        ]
        return try exchange(form, at: user.tokenLocation, call: call)
    }

    private func exchange(
        _ form: [(name: String, value: String)],
        at location: HTTPLocation,
        call: Call
    ) throws(BackendError) -> AccessToken {
        let body = Array(encodedQuery(form).utf8)
        var request = HTTPRequest(
            "POST",
            location.target,
            headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: body
        )
        request.repetition = .always
        request.answerLimit = 64 << 10
        let answer = try Self.ask(request, at: location.origin, settings: configuration.settings, call: call)
        guard answer.head.isSuccess else { throw refusal(answer) }
        guard let token = AccessToken.read(answer.body) else {
            throw BackendError(.unauthenticated, "the token service answers no token")
        }
        return token
    }

    /// What a token service says of a key that it does not like.
    private func refusal(_ answer: HTTPAnswer) -> BackendError {
        // What is no JSON gives no reason.
        let document = try? JSONValue(parsing: answer.body)
        let reason = document?["error"]?.stringValue ?? "status \(answer.status)"
        guard (400..<500).contains(answer.status), answer.status != 408, answer.status != 429 else {
            return answer.failure("asking for a token")
        }
        let hint =
            reason.utf8.elementsEqual("invalid_grant".utf8)
            ? ": the key was withdrawn, or the clock of this machine is wrong" : ""
        return BackendError(
            .unauthenticated,
            "the token service refuses the credentials: \(reason)\(hint)",
            native: Int32(answer.status)
        )
    }

    // MARK: the machine's own account

    /// A token of the machine's service account.
    func machineToken(call: Call) throws(BackendError) -> AccessToken {
        let body = try machine("instance/service-accounts/default/token", call: call)
        guard let token = AccessToken.read(body) else {
            throw BackendError(.unauthenticated, "the metadata server answers no token")
        }
        return token
    }

    /// The address of the machine's service account.
    func machineEmail(call: Call) throws(BackendError) -> String {
        try line(try machine("instance/service-accounts/default/email", call: call))
    }

    /// The project of the machine.
    func machineProject(call: Call) throws(BackendError) -> String {
        try line(try machine("project/project-id", call: call))
    }

    private func line(_ body: [UInt8]) throws(BackendError) -> String {
        let text = String(decoding: body.prefix { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
        guard !text.isEmpty else { throw BackendError(.unauthenticated, "the metadata server answers nothing") }
        return text
    }

    private func machine(_ path: String, call: Call) throws(BackendError) -> [UInt8] {
        let location = try machineLocation()
        var base = location.path
        while base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
        var request = HTTPRequest(
            "GET",
            "\(base)/computeMetadata/v1/\(path)",
            headers: ["Metadata-Flavor": "Google"]
        )
        request.answerLimit = 64 << 10
        var settings = HTTPSettings()
        // It is near, or it is not there.
        settings.connectTimeout = .seconds(1)
        settings.answerTimeout = .seconds(10)
        settings.retries.attempts = 3
        settings.retries.longestPause = .milliseconds(500)
        settings.proxy = ""
        let answer: HTTPAnswer
        do throws(BackendError) {
            answer = try Self.ask(request, at: location.origin, settings: settings, call: call)
        } catch {
            guard error.code != .cancelled, !call.isLate else { throw error }
            throw BackendError(
                .unauthenticated,
                "there are no credentials: set credentials_file, or say credentials: anonymous"
                    + " (no metadata server answers either)"
            )
        }
        guard answer.head.isSuccess else {
            if answer.status >= 500 || answer.status == 429 { throw answer.failure("asking the metadata server") }
            throw BackendError(
                .unauthenticated,
                "the metadata server has no service account for this machine",
                native: Int32(answer.status)
            )
        }
        return answer.body
    }

    private func machineLocation() throws(BackendError) -> HTTPLocation {
        if let location = configuration.metadataEndpoint { return location }
        let host = variable("GCE_METADATA_HOST") ?? "metadata.google.internal"
        do throws(HTTPLocationError) {
            return try HTTPLocation(parsing: "http://\(host)")
        } catch {
            throw BackendError(.unauthenticated, "GCE_METADATA_HOST \(error.reason)")
        }
    }

    // MARK: signing

    /// Lets Google sign bytes with a key of a service account that nobody else holds.
    func signature(of bytes: [UInt8], as email: String, token: String, call: Call) throws(BackendError) -> [UInt8] {
        let location = configuration.signEndpoint
        var base = location.path
        while base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
        var body = JSONWriter()
        body.object { $0.member("payload", base64(bytes)) }
        var request = HTTPRequest(
            "POST",
            "\(base)/v1/projects/-/serviceAccounts/\(percentEncoded(email.utf8, keeping: "@")):signBlob",
            headers: ["Authorization": "Bearer \(token)", "Content-Type": "application/json"],
            body: body.bytes
        )
        request.repetition = .always
        request.answerLimit = 64 << 10
        let answer = try Self.ask(request, at: location.origin, settings: configuration.settings, call: call)
        guard answer.head.isSuccess else {
            throw Refusal(answer).error(answer, "signing a link as \(email)", key: nil)
        }
        // What is no JSON holds no signature either.
        let document = try? JSONValue(parsing: answer.body)
        guard let text = document?["signedBlob"]?.stringValue, let signature = CofferCrypto.bytes(base64: text) else {
            throw BackendError(.io, "signing a link: Google answers no signature")
        }
        return signature
    }

    private static func ask(
        _ request: HTTPRequest,
        at origin: HTTPOrigin,
        settings: HTTPSettings,
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        let endpoint = HTTPEndpoint(origin, settings: settings)
        defer { endpoint.close() }
        return try endpoint.send(request, call: call)
    }
}
