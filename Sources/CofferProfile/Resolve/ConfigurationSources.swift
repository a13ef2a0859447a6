// What a configuration may look at outside its own text: variables and files, both by closures of the caller.

import Glibc

/// Why a file cannot be read, without its name: "no such file".
package struct FileFailure: Error, Sendable, Hashable {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }
}

/// The world outside the text.
package struct ConfigurationSources: Sendable {
    /// The value of an environment variable; nil if it is not set.
    package var variable: @Sendable (String) -> String?
    /// The names of the variables that are set, for suggestions.
    package var variableNames: @Sendable () -> [String]
    /// The bytes of the file at an absolute path, or a failure if there are more than the limit.
    package var file: @Sendable (_ path: String, _ limit: Int) throws(FileFailure) -> [UInt8]

    package init(
        variable: @escaping @Sendable (String) -> String?,
        variableNames: @escaping @Sendable () -> [String] = { [] },
        file: @escaping @Sendable (String, Int) throws(FileFailure) -> [UInt8] = Self.readFile
    ) {
        self.variable = variable
        self.variableNames = variableNames
        self.file = file
    }

    /// Reads the regular file at `path`, at most `limit` bytes of it.
    @Sendable package static func readFile(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw FileFailure("no such file") }
        // Not blocking, so that a pipe cannot hold a start for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileFailure(reason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFailure(reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileFailure("not a regular file") }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure(reason(errno))
            }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw FileFailure("more than \(limit) bytes") }
        }
    }

    private static func reason(_ number: Int32) -> String {
        switch number {
        case ENOENT, ENOTDIR: "no such file"
        case EACCES, EPERM: "permission denied"
        case EISDIR: "a folder"
        case ELOOP: "too many symbolic links"
        default: "error \(number)"
        }
    }
}

/// Absolute paths, by their text alone.
enum Path {
    /// `path`, which starts at `folder` if it is relative, without empty, `.` and `..` segments.
    static func absolute(_ path: String, in folder: String) -> String {
        var segments: [Substring.UTF8View] = []
        let whole = path.utf8.first == 0x2F ? path : "\(folder)/\(path)"
        for segment in whole.utf8.split(separator: 0x2F) {
            if segment.elementsEqual("..".utf8) {
                _ = segments.popLast()
            } else if !segment.elementsEqual(".".utf8) {
                segments.append(segment)
            }
        }
        return "/" + segments.map { String(Substring($0)) }.joined(separator: "/")
    }

    /// The folder that holds `path`.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
