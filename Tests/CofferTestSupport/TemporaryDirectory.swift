import Glibc

/// Runs `body` with the path of a fresh directory, short enough for sockets; all of it is gone afterwards.
public func withTemporaryDirectory<R>(_ body: (String) throws -> R) throws -> R {
    let path = try makeTemporaryDirectory()
    defer { removeTree(path) }
    return try body(path)
}

/// Runs `body` with the path of a fresh directory, short enough for sockets; all of it is gone afterwards.
public func withTemporaryDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = try makeTemporaryDirectory()
    defer { removeTree(path) }
    return try await body(path)
}

/// No directory could be made, with the error number.
public struct NoTemporaryDirectory: Error {
    /// The error number of `mkdtemp`.
    public let errorNumber: Int32
}

private func makeTemporaryDirectory() throws -> String {
    var template = Array("/tmp/coffer-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw NoTemporaryDirectory(errorNumber: errno) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func removeTree(_ path: String) {
    _ = nftw(path, { path, _, _, _ in path.map { remove($0) } ?? 0 }, 32, FTW_DEPTH | FTW_PHYS)
}
