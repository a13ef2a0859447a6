/// Writes the head of an answer.
enum ResponseHeadWriter {
    static func write(
        _ response: HTTPResponse,
        _ framing: ResponseFraming,
        isOld: Bool,
        date: inout DateField,
        to output: OutputBuffer
    ) {
        output.append("HTTP/1.1 ")
        output.append(decimal: Int64(response.status))
        output.append(0x20)
        output.append(statusText(response.status))
        output.append("\r\n")
        response.headers.forEachField { name, value in
            if !isOurs(name) { output.append(name: name, value: value) }
        }
        date.append(to: output)
        switch framing.length {
        case .exactly(let length):
            output.append("Content-Length: ")
            output.append(decimal: length)
            output.append("\r\n")
        case .chunked: output.append("Transfer-Encoding: chunked\r\n")
        case .none, .untilClose: break
        }
        if !framing.keepsAlive {
            output.append("Connection: close\r\n")
        } else if isOld {
            output.append("Connection: keep-alive\r\n")
        }
        output.append("\r\n")
    }

    /// Whether a field is about the connection or the framing, which are not the handler's.
    private static func isOurs(_ name: UnsafeRawBufferPointer) -> Bool {
        guard let base = name.baseAddress else { return true }
        let name = Bytes(base: base.assumingMemoryBound(to: UInt8.self), count: name.count)
        switch name.count {
        case 4: return name.isWord("date")
        case 10: return name.isWord("connection")
        case 14: return name.isWord("content-length")
        case 17: return name.isWord("transfer-encoding")
        default: return false
        }
    }
}
