// What is sent to the server: one line, which no name can turn into two.

import CofferPluginSDK

/// One command line.
///
/// A name goes out only if it holds no CR, LF or NUL, and no 0xFF, with which Telnet's own commands begin: everything
/// that is sent passes through here.
struct Command: Equatable {
    /// The line, with its end.
    let bytes: [UInt8]
    /// The verb, for people; the rest may be a secret.
    let verb: String

    /// A command of a verb alone, or with words of our own.
    init(_ line: StaticString) {
        verb = String("\(line)".prefix { $0 != " " })
        bytes = line.withUTF8Buffer { Array($0) } + [0x0D, 0x0A]
    }

    /// A command with an argument that comes from elsewhere.
    init(_ verb: StaticString, _ argument: some Collection<UInt8>) throws(BackendError) {
        for byte in argument where byte == 0x0D || byte == 0x0A || byte == 0 || byte == 0xFF {
            throw BackendError(.invalidKey, "a line end, NUL or 0xFF cannot be sent to an FTP server")
        }
        self.verb = "\(verb)"
        bytes = verb.withUTF8Buffer { Array($0) } + [0x20] + argument + [0x0D, 0x0A]
    }
}
