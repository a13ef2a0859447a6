// How a child is started: its environment, its descriptors, its program, and the driver that it makes.

import CLibcloud
import CofferJSON
import CofferPluginSDK
import Glibc

/// Starts children.
///
/// The command line and the environment hold no secret: options go over the socket. Nothing of the environment comes
/// along but what a Python needs and what says how to reach the network.
struct Launcher: Sendable {
    private static let passed = [
        "PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "TZ", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ]

    let configuration: Configuration
    let host: HostServices

    /// A child that is ready to be asked, and what it told of itself.
    func start(call: Call) throws(BackendError) -> (Child, JSONObject) {
        let child = try spawn()
        try child.send(Self.program, doing: "starting python", call: call)
        var opening = Question("open", "starting python")
        opening["provider"] = .string(configuration.provider)
        opening["container"] = .string(configuration.container)
        opening["arguments"] = .object(configuration.arguments)
        opening["secrets"] = .array(configuration.secrets.map { .string($0) })
        do {
            try child.ask(opening, call: call)
            let answer = try child.answer(to: opening.doing, silence: configuration.stallTimeout, call: call)
            return (child, answer.head)
        } catch {
            child.end()
            throw error
        }
    }

    private func spawn() throws(BackendError) -> Child {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw refused("no socket", errno)
        }
        // No pipe, since that would need a second call to be closed on exec: another thread may start a process between.
        var pipes: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pipes) == 0 else {
            let number = errno
            ends.forEach { close($0) }
            throw refused("no socket", number)
        }
        for descriptor in [ends[0], pipes[0]] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        var process: pid_t = 0
        let number = run(channel: ends[1], complaints: pipes[1], &process)
        close(ends[1])
        close(pipes[1])
        guard number == 0 else {
            close(ends[0])
            close(pipes[0])
            throw refused(configuration.python, number)
        }
        let complaints = Complaints(pipes[0], host, secrets: configuration.secrets)
        return Child(process: process, channel: ends[0], complaints: complaints)
    }

    private func run(channel: Int32, complaints: Int32, _ process: inout pid_t) -> Int32 {
        let arguments = [configuration.python, "-I", "-X", "utf8", "-W", "ignore", "-c", Self.beginning]
        var environment = ["LC_ALL=C.UTF-8", "NETRC=/dev/null"]
        for name in Self.passed {
            if let value = Configuration.environment(name) { environment.append("\(name)=\(value)") }
        }
        return withCStrings(arguments) { arguments in
            withCStrings(environment) { environment in
                coffer_child_start(configuration.python, arguments, environment, channel, complaints, &process)
            }
        }
    }

    private func refused(_ what: String, _ number: Int32) -> BackendError {
        let isShort = number == EMFILE || number == ENFILE || number == EAGAIN || number == ENOMEM
        return BackendError(
            isShort ? .unavailable : .config,
            "python does not start: \(what): \(String(cString: strerror(number)).lowercased())",
            isRetryable: isShort,
            native: number
        )
    }

    /// What stands on the command line: it takes the rest from the socket, which gives all that is asked for (256).
    private static let beginning = """
        import socket; connection = socket.socket(fileno=3); \
        exec(connection.recv(int.from_bytes(connection.recv(4, 256), 'big'), 256))
        """

    /// What is sent first: the start, then the modules.
    private static let program: [UInt8] = {
        let modules: [(String, [UInt8])] = [
            ("coffer_wire", PackageResources.coffer_wire_py),
            ("coffer_failures", PackageResources.coffer_failures_py),
            ("coffer_stores", PackageResources.coffer_stores_py),
            ("coffer_values", PackageResources.coffer_values_py),
            ("coffer_directory", PackageResources.coffer_directory_py),
            ("coffer_child", PackageResources.coffer_child_py),
        ]
        let text = JSONValue.array(
            modules.map { .array([.string($0.0), .string(String(decoding: $0.1, as: UTF8.self))]) }
        ).bytes()
        return [PackageResources.coffer_start_py, text].flatMap { part in
            FrameLengths(head: part.count, body: 0).bytes.prefix(4) + part
        }
    }()
}

/// Lends strings as C wants arguments: pointers, and a null one at the end.
private func withCStrings<R>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
) -> R {
    let copies = strings.map { strdup($0) } + [nil]
    defer { copies.forEach { free($0) } }
    return copies.withUnsafeBufferPointer { list in
        guard let first = list.baseAddress else { fatalError("a list with an end has a beginning") }
        return body(first)
    }
}
