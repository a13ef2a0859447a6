import Glibc

/// A call to the operating system that failed.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was tried, with the thing it was tried on: `listen on /run/coffer/coffer.sock`.
    package let operation: String
    /// The error number.
    package let number: Int32

    package init(_ operation: String, number: Int32) {
        self.operation = operation
        self.number = number
    }

    /// What was tried and the system's text for the error number.
    package var description: String { "\(operation): \(errorText(number))" }
}

/// The system's text for an error number, like `no such file or directory`.
package func errorText(_ number: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        // The XSI form fills the buffer and returns a number; its text is cut, never overrun.
        guard let base = buffer.baseAddress, strerror_r(number, base, buffer.count) == 0 else {
            return "error \(number)"
        }
        let text = String(cString: base)
        guard let first = text.first, let second = text.dropFirst().first, second.isLowercase else { return text }
        return first.lowercased() + text.dropFirst()
    }
}
