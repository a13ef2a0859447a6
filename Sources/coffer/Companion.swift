import CofferModel
import CofferSystem
import Glibc

/// The programs that do some of our commands' work.
enum Companion {
    /// Becomes the program `name`; returns only where that fails.
    ///
    /// It lies beside our own executable, in `../libexec/coffer` or `../libexec` of it, or in `PATH`.
    static func run(_ name: String, _ arguments: [String]) throws(Failure) -> Int32 {
        let folder = ownFolder()
        let places = ["\(folder)/\(name)", "\(folder)/../libexec/coffer/\(name)", "\(folder)/../libexec/\(name)"]
        let words = [name] + arguments
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        for place in places where access(place, X_OK) == 0 {
            execv(place, pointers)
            throw .operation(subject: name, CofferError(.internal, "\(place): \(errorText(errno))"))
        }
        execvp(name, pointers)
        let reason = errno == ENOENT ? "not found beside coffer (\(folder)) or in PATH" : errorText(errno)
        throw .operation(subject: name, CofferError(.notFound, reason))
    }

    private static func ownFolder() -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &path, path.count)
        let bytes = path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return String(decoding: bytes[..<slash], as: UTF8.self)
    }
}
