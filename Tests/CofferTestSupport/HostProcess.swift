import CofferSystem
public import Glibc

/// A real host on a fresh socket in a fresh directory.
///
/// It runs the `cofferd` of this build with the plugins of this build. Ready means that it said so by `NOTIFY_SOCKET`.
public final class HostProcess: @unchecked Sendable {
    // Unchecked because only the test that owns it starts, stops and kills it.
    /// The directory of configuration, socket, state and whatever the storages keep.
    public let folder: String
    /// Where it listens.
    public var socket: String { "\(folder)/coffer.sock" }
    /// Its process; 0 while it does not run.
    public private(set) var process: pid_t = 0
    private let arguments: [String]
    /// What its environment has beside what every host gets.
    public let environment: [String: String]

    /// What went wrong around a host.
    public struct Failure: Error, CustomStringConvertible {
        /// What happened, with what the host said.
        public let description: String
    }

    /// Prepares a host in `folder` with `configuration`, to which the plugins of this build are added.
    public init(
        in folder: String,
        configuration: String,
        arguments: [String] = [],
        environment: [String: String] = [:]
    ) throws {
        self.folder = folder
        self.arguments = arguments
        self.environment = environment
        try write(configuration: configuration)
    }

    deinit { if process != 0 { kill() } }

    /// The folder of this build: programs, plugins, tests.
    public static let buildFolder: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? 0
        }
        let path = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }()

    /// The lines that name this build's plugins.
    public static let plugins: String = {
        let names = ["local", "memory", "fault"]
        return "plugins:\n" + names.map { "  \($0): \(buildFolder)/libcoffer-\($0).so\n" }.joined()
    }()

    /// Puts another configuration in the place of the present one; the host sees it at its next reload.
    public func write(configuration: String) throws {
        let text = configuration.contains("plugins:") ? configuration : Self.plugins + configuration
        guard let file = fopen("\(folder)/coffer.yaml.new", "w") else { throw Failure(description: "no configuration") }
        fputs(text, file)
        fclose(file)
        rename("\(folder)/coffer.yaml.new", "\(folder)/coffer.yaml")
    }

    /// Starts it and waits until it is ready.
    ///
    /// - Parameter launcher: a program, with arguments, that gets the host's own command line behind them and becomes it.
    /// - Throws: ``Failure`` with what it wrote if it ends instead.
    public func start(under launcher: [String] = []) throws {
        let ready = try NotifySocket(path: "\(folder)/notify.sock")
        try launch(under: launcher)
        while !ready.wait(milliseconds: 200) {
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process {
                process = 0
                throw Failure(description: "the host ended with \(exitCode(status)): \(log)")
            }
            guard ready.age < 30_000 else {
                kill()
                throw Failure(description: "the host is not ready after 30 s: \(log)")
            }
        }
    }

    /// Starts it without waiting; it tells what it has to tell to `notify.sock` in its folder.
    public func launch(under launcher: [String] = []) throws {
        var words = ["\(Self.buildFolder)/cofferd", "--config", "\(folder)/coffer.yaml", "--socket", socket]
        words = launcher + words + arguments
        var variables = environment
        variables["NOTIFY_SOCKET"] = "\(folder)/notify.sock"
        variables["STATE_DIRECTORY"] = "\(folder)/state"
        variables["PATH"] = variables["PATH"] ?? (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin")
        variables["HOME"] = folder
        process = try spawn(words, environment: variables, output: "\(folder)/log")
    }

    /// Everything it wrote to standard output and error.
    public var log: String { readWholeFile("\(folder)/log") ?? "" }

    /// Sends it a signal.
    public func signal(_ number: Int32) {
        // Number 0 would be our own process group.
        if process != 0 { _ = Glibc.kill(process, number) }
    }

    /// Asks it to stop, and waits; its exit code, or minus the signal that ended it.
    @discardableResult
    public func stop() -> Int32 {
        signal(SIGTERM)
        return wait()
    }

    /// Ends it at once, as a power failure would.
    public func kill() {
        signal(SIGKILL)
        _ = wait()
    }

    /// Waits for its end; its exit code, or minus the signal that ended it.
    @discardableResult
    public func wait() -> Int32 {
        guard process != 0 else { return 0 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        process = 0
        return exitCode(status)
    }

    /// How many descriptors it has open.
    public var descriptorCount: Int { entryCount("/proc/\(process)/fd") }
    /// How many threads it has.
    public var threadCount: Int { entryCount("/proc/\(process)/task") }
    /// Its resident memory in KiB; nil once it is gone.
    public var residentKilobytes: Int? {
        readWholeFile("/proc/\(process)/status")?.split(separator: "\n")
            .first { $0.hasPrefix("VmRSS:") }?
            .split(separator: " ").compactMap { Int($0) }.first
    }
}

/// Runs `body` with a host that is ready; it is stopped and everything is gone afterwards.
public func withHost<R>(
    _ configuration: String,
    arguments: [String] = [],
    environment: [String: String] = [:],
    _ body: (HostProcess) throws -> R
) throws -> R {
    try withTemporaryDirectory { folder in
        let host = try HostProcess(
            in: folder,
            configuration: configuration,
            arguments: arguments,
            environment: environment
        )
        try host.start()
        defer { host.stop() }
        return try body(host)
    }
}

/// The socket by which a service says that it is ready.
private final class NotifySocket {
    let path: String
    private let descriptor: Int32
    private let start = MonotonicTime.now

    init(path: String) throws {
        self.path = path
        unlink(path)
        descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, result == 0 else { throw HostProcess.Failure(description: "no notify socket") }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// Milliseconds since it was made.
    var age: Int64 { (MonotonicTime.now.nanoseconds - start.nanoseconds) / 1_000_000 }

    /// Waits for `READY=1`, at most so long.
    func wait(milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, milliseconds) == 1 else { return false }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 && String(decoding: buffer[..<count], as: UTF8.self).contains("READY=1")
    }
}

private func exitCode(_ status: Int32) -> Int32 {
    status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
}

private func entryCount(_ path: String) -> Int {
    guard let directory = opendir(path) else { return 0 }
    defer { closedir(directory) }
    var count = -2  // `.` and `..`
    while readdir(directory) != nil { count += 1 }
    return count
}
