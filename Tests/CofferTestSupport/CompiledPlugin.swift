import Glibc

/// What the C compiler said about a file of `Tests/Fixtures/Plugins`.
public struct NotCompiled: Error, CustomStringConvertible {
    /// The command and its exit status.
    public let description: String
}

/// The top folder of the repository.
public let repositoryRoot: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/")
}()

/// Compiles a C file of `Tests/Fixtures/Plugins` to a shared library at `output`, against the ABI's header.
///
/// - Parameters:
///   - source: the file's name, or the path of another file.
///   - output: where the library goes.
///   - flags: further arguments of the compiler: `-DNAME=VALUE`.
///   - include: the folder of the header, where it is not the repository's own.
/// - Throws: ``NotCompiled``.
public func compilePlugin(_ source: String, to output: String, _ flags: [String] = [], include: String? = nil) throws {
    let fixtures = repositoryRoot + "/Tests/Fixtures/Plugins"
    let file = source.hasPrefix("/") ? source : "\(fixtures)/\(source)"
    let header = include ?? repositoryRoot + "/plugin-sdk/C/include"
    let arguments =
        ["cc", "-std=gnu11", "-shared", "-fPIC", "-O1", "-I", header, "-I", fixtures, "-o", output, file] + flags
    var process = pid_t()
    var status: Int32 = 0
    let words = arguments.map { strdup($0) } + [nil]
    // Nothing of our own environment may change what comes out.
    let environment = [strdup("PATH=/usr/local/bin:/usr/bin:/bin"), strdup("LC_ALL=C"), nil]
    defer { (words + environment).forEach { free($0) } }
    let result = posix_spawnp(&process, "cc", nil, nil, words, environment)
    guard result == 0 else { throw NotCompiled(description: "cc cannot be run: error \(result)") }
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    guard status == 0 else {
        throw NotCompiled(description: "\(arguments.joined(separator: " ")) ended with status \(status)")
    }
}
