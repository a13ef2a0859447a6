// What rows find around them: folders, peers, and hosts of the build that is measured.
import CofferSystem
import Glibc

/// The surroundings of a run.
final class Bench {
    let build: String
    let scratch: String
    /// Whether the largest amounts are measured, too: a million keys, ten gibibytes.
    let isFull: Bool
    private let settings: [String: String]
    private var shared: BenchHost?

    /// `settings` name the peers: sockets, processes, folders.
    init(build: String, scratch: String, settings: [String: String]) {
        self.build = build
        self.scratch = scratch
        self.settings = settings
        isFull = settings["scale"] == "full"
    }

    /// What the caller said about a peer.
    ///
    /// - Throws: ``Trouble`` that says why the row is skipped.
    func peer(_ name: String) throws -> String {
        guard let value = settings[name], !value.isEmpty else {
            throw Trouble(settings["no-\(name)"] ?? "\(name) is not there")
        }
        return value
    }

    /// The process of a peer; 0 where it has none.
    func process(of peer: String) -> [pid_t] {
        (settings["\(peer)-process"] ?? "").split(separator: " ").compactMap { pid_t(String($0)) }
    }

    /// The host that most rows share.
    func host() throws -> BenchHost {
        if let shared { return shared }
        let host = try BenchHost(
            self,
            "shared",
            """
            storages:
              memory: {backend: memory, on_conflict: replace}
              files: {backend: local, root: \(files), on_conflict: replace, durability: relaxed}
              durable: {backend: local, root: \(scratch)/durable, on_conflict: replace, checksum: none}
              slow: {backend: fault, latency: 10ms, on_conflict: replace}

            """
        )
        shared = host
        return host
    }

    /// The folder that the storage `files` and the peers serve.
    var files: String { "\(scratch)/files" }

    /// Ends what was started.
    func stop() { shared = nil }

    /// A file of `size` bytes that are not all the same, made once.
    func file(_ name: String, size: Int) throws -> String {
        let path = "\(files)/\(name)"
        if access(path, F_OK) == 0 { return path }
        mkdir(files, 0o700)
        guard let file = fopen(path, "w") else { throw Trouble("\(path) cannot be written") }
        defer { fclose(file) }
        let piece = (0..<min(size, 1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var left = size
        while left > 0 {
            let count = fwrite(piece, 1, min(left, piece.count), file)
            guard count > 0 else { throw Trouble("\(path) cannot be filled") }
            left -= count
        }
        return path
    }
}

/// A host of the build that is measured, on a socket of its own.
final class BenchHost {
    let socket: String
    let child: ChildProcess
    /// Milliseconds from its start to its first answer.
    let startTime: Double

    init(_ bench: Bench, _ name: String, _ configuration: String, arguments: [String] = []) throws {
        let folder = "\(bench.scratch)/\(name)"
        mkdir(folder, 0o700)
        let plugins = ["local", "memory", "fault"].map { "  \($0): \(bench.build)/libcoffer-\($0).so\n" }.joined()
        guard let file = fopen("\(folder)/coffer.yaml", "w") else { throw Trouble("\(folder) cannot be written") }
        fputs("plugins:\n" + plugins + configuration, file)
        fclose(file)
        socket = "\(folder)/coffer.sock"
        let words = ["\(bench.build)/cofferd", "--config", "\(folder)/coffer.yaml", "--socket", socket] + arguments
        let environment = ["HOME": folder, "STATE_DIRECTORY": "\(folder)/state"]
        let start = MonotonicTime.now
        child = try ChildProcess(words, environment: environment, output: "\(folder)/log")
        while true {
            if let connection = try? PlainConnection(socket) {
                try connection.exchange(Request.get("/v1/health"))
                break
            }
            let age = MonotonicTime.now.nanoseconds - start.nanoseconds
            guard age < 20_000_000_000, waitpid(child.process, nil, WNOHANG) == 0 else {
                throw Trouble("the host did not start: \(wholeText("\(folder)/log.err") ?? "")")
            }
            usleep(200)
        }
        startTime = Double(MonotonicTime.now.nanoseconds - start.nanoseconds) / 1e6
    }

    deinit { child.stop() }

    /// A connection to it.
    func connect() throws -> PlainConnection { try PlainConnection(socket) }

    /// Puts `count` bytes under a key.
    func put(_ storage: String, _ key: String, count: Int) throws {
        let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try connect().exchange(Request.put("/v1/storages/\(storage)/objects/\(key)", body: body))
    }
}
