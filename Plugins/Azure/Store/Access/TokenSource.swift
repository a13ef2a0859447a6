// Tokens of Microsoft Entra ID for an application with a secret of its own: OAuth 2.0's client credentials.

import CofferJSON
package import CofferPluginSDK
package import CofferTransport

/// Lends tokens, and fetches a new one before the last one ends.
package final class TokenSource: Sendable {
    /// An application that signs in.
    package struct Application: Sendable {
        /// `https://login.microsoftonline.com`, or the same of another cloud.
        package var authority: HTTPLocation
        package var tenant: String
        package var client: String
        package var secret: String
    }

    private struct Token {
        let text: String
        /// Unix nanoseconds.
        let renewal: Int64
        let end: Int64
    }

    private let application: Application
    private let endpoint: HTTPEndpoint
    private let token = Guarded<Token?>(nil)

    /// A token is renewed this long before it ends, or after three quarters of a short life.
    private static let margin: Int64 = 300_000_000_000

    package init(_ application: Application, settings: HTTPSettings) {
        self.application = application
        endpoint = HTTPEndpoint(application.authority.origin, settings: settings)
    }

    package func close() { endpoint.close() }

    /// The token of now; one caller fetches, the others wait for it.
    package func token(call: Call) throws(BackendError) -> String {
        try token.withLock { token throws(BackendError) in
            let now = wallClock()
            if let token, now < token.renewal { return token.text }
            do throws(BackendError) {
                let fresh = try fetch(call: call)
                token = fresh
                return fresh.text
            } catch {
                // What still works outlives a sign-in that is briefly silent.
                if let token, now < token.end, error.isRetryable { return token.text }
                throw error
            }
        }
    }

    /// Drops a token that the store refused; another one is fetched by whoever asks next.
    package func drop(_ refused: String) {
        token.withLock { token in
            if let present = token, present.text.utf8.elementsEqual(refused.utf8) { token = nil }
        }
    }

    private func fetch(call: Call) throws(BackendError) -> Token {
        let form = encodedQuery([
            (name: "grant_type", value: "client_credentials"), (name: "client_id", value: application.client),
            (name: "client_secret", value: application.secret),
            (name: "scope", value: "https://storage.azure.com/.default"),
        ])
        var base = application.authority.path
        while base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
        var request = HTTPRequest(
            "POST",
            "\(base)/\(percentEncoded(application.tenant.utf8))/oauth2/v2.0/token",
            headers: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"],
            body: Array(form.utf8)
        )
        // One token too many does no harm.
        request.repetition = .always
        let asked = wallClock()
        let answer = try endpoint.send(request, call: call)
        let document = try? JSONValue(parsing: answer.body)  // What is no document has no token.
        guard answer.head.isSuccess else { throw refusal(answer, document) }
        let life = document?["expires_in"].flatMap { $0.integerValue ?? $0.stringValue.flatMap { Int64($0) } }
        guard let text = document?["access_token"]?.stringValue, let life, life > 0, life < 1 << 32,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw BackendError(.io, "the sign-in at \(application.authority.origin.host) answers no token") }
        let nanoseconds = life * 1_000_000_000
        let margin = min(Self.margin, nanoseconds / 4)
        return Token(text: text, renewal: asked + nanoseconds - margin, end: asked + nanoseconds)
    }

    /// What the sign-in refuses: its word, and the number that Microsoft's pages explain.
    private func refusal(_ answer: HTTPAnswer, _ document: JSONValue?) -> BackendError {
        var error = answer.failure("signing in at \(application.authority.origin.host)")
        guard let word = document?["error"]?.stringValue, word.utf8.count < 64 else { return error }
        let description = document?["error_description"]?.stringValue ?? ""
        let number = description.prefix { $0 != ":" && $0 != " " }
        let isNumber = number.utf8.starts(with: "AADSTS".utf8) && number.utf8.count < 20
        error.message =
            "signing in at \(application.authority.origin.host): \(word)" + (isNumber ? " (\(number))" : "")
            + ": look at tenant_id, client_id and client_secret"
        if answer.status == 400 || answer.status == 401 { error.code = .unauthenticated }
        return error
    }
}
