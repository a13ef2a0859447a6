// What is asked of Keystone.

import CofferJSON

/// The documents that ask Keystone for a token.
package enum IdentityQuestion {
    /// The body of a login; empty for the store's own service, which asks for no document.
    package static func body(_ access: Access) -> [UInt8] {
        let words = access.words
        switch access.way {
        case .given, .v1: return []
        case .v2(let user, let key):
            var auth: [(String, JSONValue)] = [
                ("passwordCredentials", object([("username", .string(user)), ("password", .string(key))]))
            ]
            if let id = words["project_id"] {
                auth.append(("tenantId", .string(id)))
            } else {
                auth.append(("tenantName", .string(words["project_name"] ?? "")))
            }
            return object([("auth", object(auth))]).bytes()
        case .password(let key):
            var user = who(words)
            user.append(("password", .string(key)))
            let identity = object([
                ("methods", ["password"]), ("password", object([("user", object(user))])),
            ])
            return question(identity, scope: scope(words))
        case .application(let secret):
            var credential: [(String, JSONValue)] = [("secret", .string(secret))]
            if let id = words["application_credential_id"] {
                credential.append(("id", .string(id)))
            } else {
                credential.append(("name", .string(words["application_credential_name"] ?? "")))
                credential.append(("user", object(who(words))))
            }
            let identity = object([
                ("methods", ["application_credential"]), ("application_credential", object(credential)),
            ])
            return question(identity, scope: nil)
        }
    }

    private static func question(_ identity: JSONValue, scope: JSONValue?) -> [UInt8] {
        var auth = [("identity", identity)]
        if let scope { auth.append(("scope", scope)) }
        return object([("auth", object(auth))]).bytes()
    }

    private static func who(_ words: [String: String]) -> [(String, JSONValue)] {
        if let id = words["user_id"] { return [("id", .string(id))] }
        return [("name", .string(words["user"] ?? "")), ("domain", domain(words, "user"))]
    }

    private static func scope(_ words: [String: String]) -> JSONValue {
        if let id = words["project_id"] { return object([("project", object([("id", .string(id))]))]) }
        let project: [(String, JSONValue)] = [
            ("name", .string(words["project_name"] ?? "")), ("domain", domain(words, "project")),
        ]
        return object([("project", object(project))])
    }

    /// A domain by id or name; the one that every Keystone has where none is said.
    private static func domain(_ words: [String: String], _ whose: String) -> JSONValue {
        if let name = words["\(whose)_domain_name"] { return object([("name", .string(name))]) }
        return object([("id", .string(words["\(whose)_domain_id"] ?? "default"))])
    }

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        var object = JSONObject()
        for (name, value) in members { object[name] = value }
        return .object(object)
    }
}
