import CofferJSON
import CofferTestSupport
import Glibc
import Testing

/// What the store behind `bare` cannot do itself: whatever the host can do for it.
let leftOut =
    "read_range, read_condition, create_if_absent, if_match, remove_if_match, remove_batch, list_delimiter, "
    + "list_after, list_sorted, copy, copy_condition, move"

/// One storage on disk, one in memory, and one whose store can do little: all of them replace.
let sampleStorages = """
    storages:
      files: { backend: local, root: ./data/files, on_conflict: replace, url: "https://files.example.org/" }
      scratch: { backend: memory, on_conflict: replace }
      bare: { backend: fault, grades: [\(leftOut)], writers: exclusive, on_conflict: replace }

    """

/// The names of the storages of ``sampleStorages``: every promise is kept by all of them.
let storageNames = ["files", "scratch", "bare"]

/// Asks again and again until `condition` holds; false if it does not within `seconds`.
///
/// For what the host does on a thread of its own, of which nothing tells the end.
func eventually(within seconds: Int = 20, _ condition: () throws -> Bool) throws -> Bool {
    for _ in 0..<(seconds * 50) {
        if try condition() { return true }
        poll(nil, 0, 20)
    }
    return try condition()
}

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

/// How many requests a host has taken in, beside those that asked for that.
final class Requests {
    private let connection: RawConnection
    private let start: Int
    private var own = 0

    /// Counts from now on.
    init(_ host: HostProcess) throws {
        connection = try RawConnection(host.socket)
        start = try Self.total(connection)
    }

    /// How many came since then.
    func more() throws -> Int {
        own += 1
        return try Self.total(connection) - start - own
    }

    private static func total(_ connection: RawConnection) throws -> Int {
        let lines = try connection.request("GET", "/metrics").text.split(separator: "\n")
        let line = lines.first { $0.hasPrefix("coffer_http_requests_total ") }
        return try #require(line?.split(separator: " ").last.flatMap { Int($0) })
    }
}

/// Runs `body` with a file open for reading.
func withFile<R>(_ path: String, _ body: (Int32) throws -> R) throws -> R {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw SmallFileFailure(path: path, errorNumber: errno) }
    defer { close(number) }
    return try body(number)
}
