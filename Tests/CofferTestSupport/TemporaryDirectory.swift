import Glibc

/// Runs `body` with the path of a fresh directory, short enough for sockets; all of it is gone afterwards.
@discardableResult
public func withTemporaryDirectory<R>(_ body: (String) throws -> R) throws -> R {
    let path = try makeTemporaryDirectory()
    defer { removeTree(path) }
    return try body(path)
}

/// Runs `body` with the path of a fresh directory, short enough for sockets; all of it is gone afterwards.
///
/// `folder` is where to make it: `/dev/shm` for what is to be in memory.
@discardableResult
public func withTemporaryDirectory<R>(
    in folder: String = "/tmp",
    _ body: (String) async throws -> R
) async throws -> R {
    let path = try makeTemporaryDirectory(folder)
    defer { removeTree(path) }
    return try await body(path)
}

/// No directory could be made, with the error number.
public struct NoTemporaryDirectory: Error {
    /// The error number of `mkdtemp`.
    public let errorNumber: Int32
}

private func makeTemporaryDirectory(_ folder: String = "/tmp") throws -> String {
    var template = Array("\(folder)/coffer-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw NoTemporaryDirectory(errorNumber: errno) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Removes what is at `path`, whatever it is, without following links.
private func removeTree(_ path: String) {
    if let directory = opendir(path) {
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        closedir(directory)
        for name in names {
            var status = stat()
            let child = "\(path)/\(name)"
            if lstat(child, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR {
                removeTree(child)
            } else {
                unlink(child)
            }
        }
    }
    rmdir(path)
}
