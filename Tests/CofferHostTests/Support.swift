import CofferJSON
import CofferTestSupport
import Testing

/// One storage on disk, one in memory, both replacing.
let twoStorages = """
    storages:
      files: { backend: local, root: ./data/files, on_conflict: replace, url: "https://files.example.org/" }
      scratch: { backend: memory, on_conflict: replace }

    """

/// The names of the storages of ``twoStorages``: every promise is kept by both.
let storageNames = ["files", "scratch"]

extension RawConnection.Answer {
    /// The body as JSON; a body that is none fails the test.
    func json() throws -> JSONValue { try JSONValue(parsing: body) }

    /// The `code` of a problem document.
    func code() throws -> String? { try json()["code"]?.stringValue }
}

extension RawConnection {
    /// Writes an object and expects that to succeed.
    @discardableResult
    func put(_ storage: String, _ key: String, _ text: String, fields: [(String, String)] = []) throws -> JSONValue {
        let answer = try request(
            "PUT",
            "/v1/storages/\(storage)/objects/\(key)",
            fields: fields,
            body: Array(text.utf8)
        )
        #expect(answer.status == 201 || answer.status == 200, "\(answer.text)")
        return try answer.json()
    }

    /// The bytes of an object as text; nil where there is none.
    func get(_ storage: String, _ key: String) throws -> String? {
        let answer = try request("GET", "/v1/storages/\(storage)/objects/\(key)")
        return answer.status == 404 ? nil : answer.text
    }

    /// The keys of a listing.
    func keys(_ storage: String, _ query: String = "") throws -> [String] {
        let page = try request("GET", "/v1/storages/\(storage)/objects\(query)").json()
        return (page["objects"]?.arrayValue ?? []).compactMap { $0["key"]?.stringValue }
    }
}
