// Who uploads: a name by which a later session knows whether this one is still alive.

import CofferPluginSDK
import Glibc

/// The name of a process on a machine since its start: `MACHINE-PID-START`.
///
/// Another session of the same machine sees whether that process still runs. What other machines left can only be judged
/// by its age.
struct SessionName: Sendable, Equatable {
    let machine: UInt64
    let process: Int32
    let start: UInt64

    /// The name of this process.
    static func current() -> SessionName {
        SessionName(machine: machineNumber(), process: getpid(), start: startTime(of: getpid()) ?? 0)
    }

    /// The name as part of a file's name.
    var bytes: [UInt8] {
        Array("\(String(machine, radix: 36))-\(process)-\(String(start, radix: 36))".utf8)
    }

    /// The name that a file's name begins with; nil if it is not of ours.
    init?(fileName: ArraySlice<UInt8>) {
        guard let dot = fileName.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        let parts = String(decoding: fileName[..<dot], as: UTF8.self).split(separator: "-")
        guard parts.count == 3, let machine = UInt64(parts[0], radix: 36), let process = Int32(parts[1]),
            let start = UInt64(parts[2], radix: 36)
        else { return nil }
        (self.machine, self.process, self.start) = (machine, process, start)
    }

    private init(machine: UInt64, process: Int32, start: UInt64) {
        (self.machine, self.process, self.start) = (machine, process, start)
    }

    /// Whether its process is known to have ended: it ran here, and runs no more.
    func hasEnded(seenFrom here: SessionName) -> Bool {
        machine == here.machine && Self.startTime(of: process) != start
    }

    /// The plain letters and digits of an attempt, as part of a file's name.
    static func plain(_ attempt: [UInt8]) -> [UInt8] {
        attempt.filter {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
        }.suffix(64)
    }

    /// When a process began, in the kernel's ticks; nil if there is none.
    private static func startTime(of process: Int32) -> UInt64? {
        guard let text = contents(of: "/proc/\(process)/stat"), let bracket = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // The name before the bracket may hold anything; the 22nd field is the 20th behind it.
        let fields = text[(bracket + 1)...].split(separator: 0x20)
        return fields.count > 19 ? UInt64(String(decoding: fields[19], as: UTF8.self)) : nil
    }

    /// A number for this boot of this machine, as far as processes see each other.
    private static func machineNumber() -> UInt64 {
        var link = [CChar](repeating: 0, count: 64)
        let length = max(0, readlink("/proc/self/ns/pid", &link, 63))
        let space = link.prefix(length).map { UInt8(bitPattern: $0) }
        let boot = contents(of: "/proc/sys/kernel/random/boot_id") ?? []
        return (boot + space).reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    private static func contents(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : Array(bytes[..<count])
    }
}
