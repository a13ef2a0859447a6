/// The head of an answer, as a client reads it.
package struct ResponseHead: Sendable {
    package var status: Int
    package var headers: HTTPHeaders

    /// How an answer's body is framed (RFC 9112, section 6.3).
    package enum BodyLength: Sendable, Hashable {
        case exactly(Int64)
        case chunked
        /// Until the connection ends, which a cut connection looks like too.
        case untilClosed
    }

    package init(status: Int, headers: HTTPHeaders = HTTPHeaders()) {
        self.status = status
        self.headers = headers
    }

    /// Reads a head without the empty line that ends it; nil where it is malformed.
    package init?(parsing bytes: ArraySlice<UInt8>) {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            line.last == 0x0D ? line.dropLast() : line
        }[...]
        guard let first = lines.popFirst(), let status = Self.status(first) else { return nil }
        self.init(status: status)
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return nil }
            let name = line[..<colon]
            guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
            let value = line[(colon + 1)...].trimmingSpace
            guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return nil }
            headers.add(String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
    }

    /// The status of `HTTP/1.1 200 OK`; the reason may be missing.
    private static func status(_ line: ArraySlice<UInt8>) -> Int? {
        guard line.starts(with: "HTTP/1.".utf8), line.count >= 12 else { return nil }
        let digits = line[(line.startIndex + 9)..<(line.startIndex + 12)]
        guard line[line.startIndex + 8] == 0x20, line.count == 12 || line[line.startIndex + 12] == 0x20,
            digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
        else { return nil }
        let status = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return status >= 100 ? status : nil
    }

    /// How the body that answers `method` is framed; nil where the fields contradict each other.
    package func bodyLength(method: String) -> BodyLength? {
        if method == "HEAD" || status == 204 || status == 304 || status < 200 { return .exactly(0) }
        let codings = headers.all("transfer-encoding")
        if !codings.isEmpty {
            return codings.count == 1 && codings[0].lowercased() == "chunked" ? .chunked : nil
        }
        let lengths = headers.all("content-length")
        guard let text = lengths.first else { return .untilClosed }
        guard lengths.count == 1, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let length = Int64(text) else {
            return nil
        }
        return .exactly(length)
    }

    /// Whether the connection serves another request after this answer.
    package var keepsAlive: Bool {
        !headers.all("connection").contains { $0.lowercased().contains("close") }
    }
}

extension ArraySlice<UInt8> {
    /// This without spaces and tabs at its ends.
    fileprivate var trimmingSpace: ArraySlice<UInt8> {
        var bytes = self
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }
}
