// The key files that Google hands out.

package import CofferCrypto
import CofferJSON
package import CofferTransport

/// A service account and its private key.
package struct ServiceAccount: Sendable {
    package var email: String
    package var keyID: String
    package var signer: RSASigner
    package var tokenURI: String
    package var tokenLocation: HTTPLocation
    package var project: String?
}

/// A user who let an application act for him.
package struct UserCredentials: Sendable {
    package var clientID: String
    package var clientSecret: String
    package var refreshToken: String
    package var tokenLocation: HTTPLocation
    package var project: String?
}

/// What a key file holds.
package enum CredentialsDocument: Sendable {
    case account(ServiceAccount)
    case user(UserCredentials)

    /// Where tokens are had, if a file does not say.
    private static let usualTokenURI = "https://oauth2.googleapis.com/token"

    /// Reads a document; the error says what is wrong with it, as in `is no JSON`, and holds nothing of it.
    package static func read(_ bytes: [UInt8]) throws(CredentialsError) -> CredentialsDocument {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue(parsing: bytes)
        } catch {
            throw CredentialsError("is no JSON")
        }
        let type = document["type"]?.stringValue ?? ""
        let uri = document["token_uri"]?.stringValue ?? usualTokenURI
        guard let location = try? HTTPLocation(parsing: uri) else {
            // The reason would hold a part of the file.
            throw CredentialsError("names no URL as its token_uri")
        }
        switch type {
        case "service_account":
            guard let signer = RSASigner(pem: try text(document, "private_key")) else {
                throw CredentialsError("holds no usable RSA key as its private_key")
            }
            return .account(
                ServiceAccount(
                    email: try text(document, "client_email"),
                    keyID: document["private_key_id"]?.stringValue ?? "",
                    signer: signer,
                    tokenURI: uri,
                    tokenLocation: location,
                    project: document["project_id"]?.stringValue
                )
            )
        case "authorized_user":
            return .user(
                UserCredentials(
                    clientID: try text(document, "client_id"),
                    clientSecret: try text(document, "client_secret"),
                    refreshToken: try text(document, "refresh_token"),
                    tokenLocation: location,
                    project: document["quota_project_id"]?.stringValue
                )
            )
        case "": throw CredentialsError("says no type")
        default: throw CredentialsError("is of a type that is not known here: use a key of a service account")
        }
    }

    /// The project that the file names.
    package var project: String? {
        switch self {
        case .account(let account): account.project
        case .user(let user): user.project
        }
    }

    private static func text(_ document: JSONValue, _ name: String) throws(CredentialsError) -> String {
        guard let text = document[name]?.stringValue, !text.isEmpty else {
            throw CredentialsError("lacks \(name)")
        }
        return text
    }
}

/// Why a key file cannot be used.
package struct CredentialsError: Error, Sendable {
    package let reason: String
    init(_ reason: String) { self.reason = reason }
}
