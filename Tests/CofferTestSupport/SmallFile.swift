import Glibc

/// A file that could not be read or written, with the error number.
public struct SmallFileFailure: Error {
    /// The path.
    public let path: String
    /// The error number.
    public let errorNumber: Int32

    /// Creates a failure.
    public init(path: String, errorNumber: Int32) {
        self.path = path
        self.errorNumber = errorNumber
    }
}

/// Writes `bytes` to a new file at `path`.
public func write(_ bytes: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw SmallFileFailure(path: path, errorNumber: errno) }
    defer { close(file) }
    guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
        throw SmallFileFailure(path: path, errorNumber: errno)
    }
}

/// The bytes of the file at `path`.
public func read(_ path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw SmallFileFailure(path: path, errorNumber: errno) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
        let got = Glibc.read(file, &piece, piece.count)
        guard got >= 0 else { throw SmallFileFailure(path: path, errorNumber: errno) }
        if got == 0 { return bytes }
        bytes += piece.prefix(got)
    }
}
