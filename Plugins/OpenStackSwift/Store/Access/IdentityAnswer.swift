// What a login answers.

import CofferJSON
package import CofferPluginSDK
package import CofferTransport

/// Reads the answers of the services that give tokens.
package enum IdentityAnswer {
    /// The session of a successful login.
    package static func session(_ answer: HTTPAnswer, _ access: Access, now: Int64) throws(BackendError) -> Session {
        switch access.way {
        case .given, .v1: try fromHead(answer.head, access, now: now)
        case .v2: try fromVersion2(answer.body, access)
        case .password, .application: try fromVersion3(answer, access)
        }
    }

    private static func fromHead(
        _ head: HTTPHead,
        _ access: Access,
        now: Int64
    ) throws(BackendError) -> Session {
        guard let token = head.headers["x-auth-token"] ?? head.headers["x-storage-token"] else { throw noToken }
        let life = head.headers["x-auth-token-expires"].flatMap { Int64($0) }
        guard let url = head.headers["x-storage-url"] else {
            throw BackendError(.config, "the login tells no X-Storage-Url: authurl or auth_version are wrong")
        }
        let seconds = life.map { min(max(0, $0), 1_000_000_000) }
        return Session(
            token: token,
            account: try account(url, access),
            expires: seconds.map { now + $0 * 1_000_000_000 }
        )
    }

    private static func fromVersion2(_ body: [UInt8], _ access: Access) throws(BackendError) -> Session {
        let document = try? JSONValue(parsing: body)  // What is no document has no token.
        guard let answer = document?["access"], let token = answer["token"]?["id"]?.stringValue else { throw noToken }
        var found: [Endpoint] = []
        for service in answer["serviceCatalog"]?.arrayValue ?? [] where isOurs(service, access) {
            for endpoint in service["endpoints"]?.arrayValue ?? [] {
                let region = endpoint["region"]?.stringValue ?? ""
                for interface in interfaces {
                    guard let url = endpoint["\(interface)URL"]?.stringValue else { continue }
                    found.append(Endpoint(interface: interface, regions: [region], url: url))
                }
            }
        }
        return Session(
            token: token,
            account: try account(found, access),
            expires: answer["token"]?["expires"]?.stringValue.flatMap { HTTPDate.parseISO8601($0) }
        )
    }

    private static func fromVersion3(_ answer: HTTPAnswer, _ access: Access) throws(BackendError) -> Session {
        let document = try? JSONValue(parsing: answer.body)  // What is no document has no token.
        guard let token = answer.head.headers["x-subject-token"], let facts = document?["token"] else { throw noToken }
        var found: [Endpoint] = []
        for service in facts["catalog"]?.arrayValue ?? [] where isOurs(service, access) {
            for endpoint in service["endpoints"]?.arrayValue ?? [] {
                guard let url = endpoint["url"]?.stringValue, let interface = endpoint["interface"]?.stringValue
                else { continue }
                let regions = ["region", "region_id"].compactMap { endpoint[$0]?.stringValue }
                found.append(Endpoint(interface: interface, regions: regions, url: url))
            }
        }
        return Session(
            token: token,
            account: try account(found, access),
            expires: facts["expires_at"]?.stringValue.flatMap { HTTPDate.parseISO8601($0) }
        )
    }

    // MARK: the catalogue

    private struct Endpoint {
        let interface: String
        let regions: [String]
        let url: String
    }

    private static let interfaces = ["public", "internal", "admin"]

    private static func isOurs(_ service: JSONValue, _ access: Access) -> Bool {
        service["type"]?.stringValue == (access.words["service_type"] ?? "object-store")
    }

    /// The endpoint of the region and the kind that were asked for.
    private static func account(_ endpoints: [Endpoint], _ access: Access) throws(BackendError) -> HTTPLocation {
        if let url = access.storageURL { return url }
        let type = access.words["service_type"] ?? "object-store"
        guard !endpoints.isEmpty else {
            throw BackendError(
                .config,
                "the catalogue has no \(type) for this project: set service_type or storage_url"
            )
        }
        var wanted = access.words["endpoint_type"] ?? "public"
        if wanted.hasSuffix("URL") { wanted.removeLast(3) }
        let region = access.words["region"]
        let match = endpoints.first { endpoint in
            endpoint.interface == wanted && (region.map { endpoint.regions.contains($0) } ?? true)
        }
        guard let match else {
            let there = endpoints.map { "\($0.interface) in \($0.regions.first ?? "no region")" }.joined(
                separator: ", "
            )
            let what = region.map { "no \(wanted) endpoint in the region \($0)" } ?? "no \(wanted) endpoint"
            throw BackendError(
                .config,
                "the catalogue's \(type) has \(what), but \(there): set region or endpoint_type"
            )
        }
        return try account(match.url, access)
    }

    private static func account(_ url: String, _ access: Access) throws(BackendError) -> HTTPLocation {
        if let location = access.storageURL { return location }
        do throws(HTTPLocationError) {
            return try HTTPLocation(parsing: url)
        } catch {
            throw BackendError(.config, "the account's URL \(error.reason): set storage_url")
        }
    }

    private static var noToken: BackendError {
        BackendError(.config, "the login gives no token: authurl or auth_version are wrong")
    }
}
