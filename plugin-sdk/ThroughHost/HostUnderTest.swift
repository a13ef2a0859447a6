// A cofferd of our own: started with one storage on the plugin, stopped when nobody uses it any more.

import CofferJSON
import CofferPluginSDK
import Glibc

/// A running `cofferd` with a temporary configuration whose one storage is on the plugin under test.
///
/// Instances with the same settings share one host, as an application's would; the last one stops it.
// Unchecked because everything that changes lies behind the lock.
final class HostUnderTest: @unchecked Sendable {
    /// The name of its one storage.
    static let storage = "s"

    private let folder: String
    private let process: pid_t
    private let idle = LockedValue<[HostConnection]>([])
    private var socket: String { "\(folder)/s" }

    private static let running = LockedValue<[(configuration: String, host: HostUnderTest, users: Int)]>([])

    /// The host with this configuration, started if there is none.
    static func shared(_ configuration: String, program: String, call: Call) throws(BackendError) -> HostUnderTest {
        let found: HostUnderTest? = running.withLock { running in
            guard let index = running.firstIndex(where: { $0.configuration == configuration }) else { return nil }
            running[index].users += 1
            return running[index].host
        }
        if let found { return found }
        let host = try HostUnderTest(configuration, program: program, call: call)
        running.withLock { $0.append((configuration, host, 1)) }
        atexit { HostUnderTest.stopAll() }
        return host
    }

    /// Lets go of it; the last user stops it.
    func leave() {
        let isLast = Self.running.withLock { running in
            guard let index = running.firstIndex(where: { $0.host === self }) else { return false }
            running[index].users -= 1
            if running[index].users > 0 { return false }
            running.remove(at: index)
            return true
        }
        if isLast { stop() }
    }

    /// For the end of a process whose calls never came back.
    private static func stopAll() {
        let left = running.withLock { running in
            defer { running = [] }
            return running.map(\.host)
        }
        for host in left { host.stop() }
    }

    private init(_ configuration: String, program: String, call: Call) throws(BackendError) {
        var template = Array("/tmp/coffer-host-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Self.failure("no temporary folder can be made", errno) }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.folder = folder
        do throws(BackendError) {
            try Self.write(configuration, to: "\(folder)/coffer.yaml")
            let ready = try ReadySocket(path: "\(folder)/ready")
            let child = try Self.spawn(program, in: folder)
            process = child
            try ready.wait(call) { () throws(BackendError) in
                var status: Int32 = 0
                guard waitpid(child, &status, WNOHANG) == child else { return }
                let signal = status & 0x7F
                let end = signal == 0 ? "" : " (it died of signal \(signal))"
                throw BackendError(.config, "the host does not start\(end): \(Self.lastLines(of: "\(folder)/log"))")
            }
        } catch {
            Self.removeFolder(folder)
            throw error
        }
    }

    private func stop() {
        idle.withLock { $0 = [] }
        kill(process, SIGTERM)
        var status: Int32 = 0
        // A host that does not end by itself is not what is tested here.
        for _ in 0..<500 {
            if waitpid(process, &status, WNOHANG) != 0 { return Self.removeFolder(folder) }
            usleep(10_000)
        }
        kill(process, SIGKILL)
        waitpid(process, &status, 0)
        Self.removeFolder(folder)
    }

    // MARK: Connections

    /// A connection that nobody uses: one that was given back and is still open, or a new one.
    func connection(_ call: Call) throws(BackendError) -> HostConnection {
        while let waiting = idle.withLock({ $0.popLast() }) {
            if waiting.isQuiet { return waiting }
        }
        return try HostConnection(socket: socket)
    }

    /// Takes back a connection whose exchange is complete.
    func giveBack(_ connection: HostConnection) { idle.withLock { $0.append(connection) } }

    /// A request with a whole body, and the whole answer.
    func exchange(_ request: HostRequest, _ call: Call) throws(BackendError) -> (head: AnswerHead, body: [UInt8]) {
        let connection = try connection(call)
        _ = try connection.send(request.bytes, call)
        let head = try connection.receiveHead(call, hasBody: request.method != "HEAD")
        let body = try connection.receiveAll(call)
        if head.keepsConnection { giveBack(connection) }
        return (head, body)
    }

    /// The same, and an answer that is no success is thrown.
    func ask(_ request: HostRequest, _ call: Call) throws(BackendError) -> (head: AnswerHead, body: [UInt8]) {
        let answer = try exchange(request, call)
        guard answer.head.isSuccess else { throw Problem.error(answer.head, answer.body) }
        return answer
    }

    // MARK: The process

    private static func write(_ text: String, to path: String) throws(BackendError) {
        // An option may be a secret.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw failure(path, errno) }
    }

    private static func spawn(_ program: String, in folder: String) throws(BackendError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        let words = [program, "--config", "\(folder)/coffer.yaml", "--socket", "\(folder)/s"]
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            let isOurs = ["COFFER_", "NOTIFY_SOCKET=", "STATE_DIRECTORY=", "SWIFT_BACKTRACE="].contains {
                text.hasPrefix($0)
            }
            if !isOurs { variables.append(text) }
            next += 1
        }
        variables += ["NOTIFY_SOCKET=\(folder)/ready", "STATE_DIRECTORY=\(folder)/state", "SWIFT_BACKTRACE=enable=no"]
        let arguments = words.map { strdup($0) } + [nil]
        let environment = variables.map { strdup($0) } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        var child = pid_t()
        let failed = posix_spawn(&child, program, &actions, nil, arguments, environment)
        guard failed == 0 else { throw failure(program, failed) }
        return child
    }

    private static func failure(_ what: String, _ number: Int32) -> BackendError {
        BackendError(.config, "\(what): \(String(cString: strerror(number)))", native: number)
    }

    /// What a host that ended had to say.
    private static func lastLines(of path: String) -> String {
        guard let file = fopen(path, "re") else { return "it says nothing" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n").joined(separator: "; ")
    }

    private static func removeFolder(_ path: String) {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            // What is no file is a folder of the same kind.
            if unlink("\(path)/\(name)") != 0 { removeFolder("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }
}

/// The socket by which a service says that it is ready.
private struct ReadySocket: ~Copyable {
    private let descriptor: Int32

    init(path: String) throws(BackendError) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnixAddress(path) { bind(descriptor, $0, $1) }
        guard descriptor >= 0, result == 0 else { throw BackendError(.internal, "\(path): no socket", native: errno) }
    }

    deinit { close(descriptor) }

    /// Waits for `READY=1`; `check` throws where it will not come any more.
    func wait(_ call: Call, _ check: () throws(BackendError) -> Void) throws(BackendError) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, 20) == 1 {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count > 0, String(decoding: buffer[..<count], as: UTF8.self).contains("READY=1") { return }
            }
            try check()
            try call.check()
        }
    }
}

/// Lends the address of a Unix socket.
func withUnixAddress<Result>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
}

/// A value that one thread at a time may touch.
// Unchecked because `value` is only reached between `pthread_mutex_lock` and `unlock`.
final class LockedValue<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}
