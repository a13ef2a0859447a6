// Who wrote an unpublished file, and whether that instance still lives.

import CofferPluginSDK
import Glibc

/// The name of an open instance, which every unpublished file of it carries.
///
/// `MACHINE-PROCESS-INSTANCE`, each hexadecimal: the machine is a hash of its boot and of the process namespace, the
/// process its number and when it started. A leftover of this very machine is known to be dead when its process is; one
/// of another machine is taken for dead only when it has not been written to for a long time.
struct Session: Sendable {
    private static let machine = hexadecimal(
        hash(contents("/proc/sys/kernel/random/boot_id") + link("/proc/self/ns/pid"))
    )
    private static let process = name(ofProcess: getpid()) ?? hexadecimal(UInt64(getpid()))
    private static let living = Living()

    /// The name.
    let name: [UInt8]

    /// A new one.
    init() {
        let instance = Self.hexadecimal(UInt64.random(in: 1 ... .max))
        name = Array("\(Self.machine)-\(Self.process)-\(instance)".utf8)
        Self.living.add(name)
    }

    /// The instance is closed: what it left is anybody's to clear away.
    func end() { Self.living.remove(name) }

    /// Whether the instance of this name is known to live, or to be dead; nil where nobody here can tell.
    static func isAlive(_ name: [UInt8]) -> Bool? {
        if living.contains(name) { return true }
        let parts = String(decoding: name, as: UTF8.self).split(separator: "-").map(String.init)
        guard parts.count == 3, parts[0] == machine, let number = pid_t(parts[1].prefix { $0 != "." }, radix: 16) else {
            return nil
        }
        // The same number may be another process by now; our own has no such instance any more.
        return parts[1] != process && Self.name(ofProcess: number) == parts[1]
    }

    /// `NUMBER.START`; nil if there is no such process, or nobody may see when it started.
    private static func name(ofProcess number: pid_t) -> String? {
        // The command's name, in parentheses, may hold anything: what follows the last one is safe to split.
        let status = contents("/proc/\(number)/stat")
        guard let end = status.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = status[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19 else { return nil }
        return "\(String(number, radix: 16)).\(String(decoding: fields[19], as: UTF8.self))"
    }

    private static func contents(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        return [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, Glibc.read(file, buffer.baseAddress, buffer.count))
        }
    }

    private static func link(_ path: String) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            count = buffer.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { max(0, readlink(path, $0, text.count)) } ?? 0
            }
        }
    }

    /// FNV-1a: short names for long ones.
    static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    static func hexadecimal(_ number: UInt64) -> String { String(number, radix: 16) }

    /// The open instances of this process.
    private final class Living: @unchecked Sendable {  // Under the monitor.
        private let monitor = Monitor()
        private var names: Set<[UInt8]> = []

        func add(_ name: [UInt8]) { monitor.withLock { _ = names.insert(name) } }
        func remove(_ name: [UInt8]) { monitor.withLock { _ = names.remove(name) } }
        func contains(_ name: [UInt8]) -> Bool { monitor.withLock { names.contains(name) } }
    }
}
