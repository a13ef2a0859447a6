public import Glibc

/// Starts a program with exactly this environment; both its outputs go to the file `output`.
public func spawn(_ words: [String], environment: [String: String], output: String) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var everything = sigset_t()
    sigfillset(&everything)
    var nothing = sigset_t()
    sigemptyset(&nothing)
    posix_spawnattr_setsigdefault(&attributes, &everything)
    posix_spawnattr_setsigmask(&attributes, &nothing)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var process: pid_t = 0
    let number = posix_spawnp(&process, words[0], &actions, &attributes, &arguments, &variables)
    guard number == 0 else {
        throw HostProcess.Failure(description: "\(words[0]) cannot be started: \(String(cString: strerror(number)))")
    }
    return process
}

/// What a program that ran to its end said.
public struct ProgramResult: Sendable {
    /// The exit code, or minus the signal that ended it.
    public let code: Int32
    /// Standard output and error together, in the order of writing.
    public let output: String
}

/// Runs a program to its end with this process's environment and `environment` on top.
public func run(_ words: [String], environment: [String: String] = [:], in folder: String) throws -> ProgramResult {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
        let pair = String(cString: text).split(separator: "=", maxSplits: 1).map(String.init)
        if pair.count == 2 { variables[pair[0]] = pair[1] }
        entry += 1
    }
    variables.merge(environment) { $1 }
    let output = "\(folder)/output-\(UInt64.random(in: 0...UInt64.max))"
    defer { unlink(output) }
    let process = try spawn(words, environment: variables, output: output)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let code = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    return ProgramResult(code: code, output: readWholeFile(output) ?? "")
}

/// The text of a file; nil if it cannot be read.
public func readWholeFile(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += buffer[..<count]
    }
}
