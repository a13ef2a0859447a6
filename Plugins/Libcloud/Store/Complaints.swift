// What a child says on its standard error: logged, but not without end, and without secrets.

import CofferPluginSDK
import Glibc

/// The reading end of a child's standard output and error.
///
/// Lines go to the log as warnings, the first ones of a child; all are read, so that nobody waits for room.
final class Complaints {
    private static let mostLines = 20
    private static let longestLine = 4096
    private static let longestShown = 400

    let descriptor: Int32
    private let host: HostServices
    private let secrets: [String]
    private var line: [UInt8] = []
    private var lines = 0
    /// The last line, for the error of a child that ended.
    private(set) var last = ""

    init(_ descriptor: Int32, _ host: HostServices, secrets: [String]) {
        self.descriptor = descriptor
        self.host = host
        self.secrets = secrets
    }

    deinit { close(descriptor) }

    /// Reads what is there; answers whether there may be more later.
    @discardableResult
    func drain() -> Bool {
        while true {
            let (count, bytes) = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
                let count = read(descriptor, room.baseAddress, room.count)
                return (count, Array(room.prefix(max(0, count))))
            }
            for byte in bytes {
                if byte == 0x0A { finishLine() } else if line.count < Self.longestLine { line.append(byte) }
            }
            if count > 0 || (count < 0 && errno == EINTR) { continue }
            if count == 0 { finishLine() }
            return count < 0
        }
    }

    private func finishLine() {
        defer { line.removeAll() }
        var text = String(decoding: line, as: UTF8.self)
        for secret in secrets { text = text.replacing(secret, with: "***") }
        text = String(text.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) })
        guard text.contains(where: { !$0.isWhitespace }) else { return }
        text = String(text.prefix(Self.longestShown))
        last = text
        lines += 1
        if lines <= Self.mostLines { host.log(.warning, "python: \(text)") }
        if lines == Self.mostLines { host.log(.warning, "python: further lines of this process are left out") }
    }
}
