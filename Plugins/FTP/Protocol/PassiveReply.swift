// Where the server waits for the data connection.

/// Reads the answers to EPSV and PASV.
///
/// Only the port is taken from them: the host is always the one that the control connection has, so that no server can
/// send us elsewhere, and none behind a router sends us astray.
enum PassiveReply {
    /// The port in `229 … (|||6446|)` (RFC 2428).
    static func extendedPort(_ reply: Reply) -> UInt16? {
        guard reply.code == 229, let line = reply.lines.last, let open = line.lastIndex(of: UInt8(ascii: "(")),
            let close = line[open...].firstIndex(of: UInt8(ascii: ")")), open + 1 < close
        else { return nil }
        let parts = line[(open + 1)..<close].split(separator: line[open + 1], omittingEmptySubsequences: false)
        guard parts.count == 5 else { return nil }
        return port(parts[3])
    }

    /// The port in `227 … (127,0,0,1,25,46)` (RFC 959), with or without the brackets.
    static func port(_ reply: Reply) -> UInt16? {
        guard reply.code == 227, let line = reply.lines.last else { return nil }
        let isPart = { (byte: UInt8) in (0x30...0x39).contains(byte) || byte == 0x2C }
        for run in line.split(whereSeparator: { !isPart($0) }) {
            let numbers = run.split(separator: 0x2C).map { FactLine.number($0) ?? 256 }
            guard numbers.count == 6, numbers.allSatisfy({ $0 < 256 }) else { continue }
            let port = UInt16(numbers[4] << 8 | numbers[5])
            return port == 0 ? nil : port
        }
        return nil
    }

    private static func port(_ text: ArraySlice<UInt8>) -> UInt16? {
        guard let number = FactLine.number(text), (1...65535).contains(number) else { return nil }
        return UInt16(number)
    }
}
