import CofferAPI
import CofferJSON
import Glibc

/// Standard output, collected so that many lines are few calls.
struct Output: ~Copyable {
    private var bytes: [UInt8] = []

    /// Whether a person sees standard output.
    static let isTerminal = isatty(1) == 1

    mutating func write(_ text: String) { write(Array(text.utf8)) }

    mutating func line(_ text: String) {
        write(Array(text.utf8))
        bytes.append(0x0A)
    }

    mutating func write(_ more: [UInt8]) {
        bytes.append(contentsOf: more)
        if bytes.count >= 64 << 10 { flush() }
    }

    /// Writes a document on a line of its own: indented for a person, on one line for a machine.
    mutating func document(_ json: [UInt8]) {
        if Output.isTerminal, let value = try? JSONValue(parsing: json) {
            write(value.bytes(isIndented: true))
        } else {
            // What is no JSON cannot be indented; it goes out as it came.
            write(json + [0x0A])
        }
    }

    mutating func flush() {
        Output.writeAll(1, bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Writes lines to standard error.
    static func tell(_ lines: [String]) {
        for line in lines { writeAll(2, Array((line + "\n").utf8)) }
    }

    /// Writes all of `bytes`; false where the descriptor takes no more.
    @discardableResult
    static func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { writeAll(descriptor, $0) }
    }

    @discardableResult
    static func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return true
    }
}
