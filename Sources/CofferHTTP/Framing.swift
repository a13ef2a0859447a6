/// What the fields of a head say about the message itself.
///
/// Whatever two readers could understand differently is refused: that is how requests are smuggled.
struct Framing {
    private var hosts = 0
    private var length: Int64?
    private var isChunked = false
    private(set) var asksToClose = false
    private(set) var asksToKeep = false
    private(set) var expectsContinue = false
    private(set) var announcesDescriptor = false

    /// Takes the next field.
    @inline(__always)
    mutating func take(_ name: Bytes, _ value: Bytes, _ descriptorField: [UInt8]) throws(HTTPFault) {
        switch name.count {
        case 4 where name.isWord("host"):
            hosts += 1
            try checkHost(value)
        case 6 where name.isWord("expect"):
            guard value.isWord("100-continue") else { throw HTTPFault(417, "an expectation that nobody knows") }
            expectsContinue = true
        case 10 where name.isWord("connection"):
            value.forEachMember { member in
                if member.isWord("close") { asksToClose = true }
                if member.isWord("keep-alive") { asksToKeep = true }
            }
        case 14 where name.isWord("content-length"):
            guard length == nil else { throw HTTPFault(400, "more than one Content-Length") }
            guard let number = value.number else { throw HTTPFault(400, "a Content-Length that is not a number") }
            length = number
        case 17 where name.isWord("transfer-encoding"):
            guard !isChunked else { throw HTTPFault(400, "more than one Transfer-Encoding") }
            guard value.isWord("chunked") else { throw HTTPFault(501, "a transfer coding other than chunked") }
            isChunked = true
        default:
            if name.isWord(descriptorField) { announcesDescriptor = true }
        }
    }

    /// The body's framing, once all fields are taken.
    func check(isOld: Bool) throws(HTTPFault) -> HTTPRequest.BodyLength {
        guard hosts <= 1 else { throw HTTPFault(400, "more than one Host") }
        guard hosts == 1 || isOld else { throw HTTPFault(400, "no Host") }
        guard isChunked else { return length.map { $0 == 0 ? .none : .exactly($0) } ?? .none }
        guard length == nil else { throw HTTPFault(400, "both Content-Length and Transfer-Encoding") }
        guard !isOld else { throw HTTPFault(400, "Transfer-Encoding in HTTP/1.0") }
        return .chunked
    }

    private func checkHost(_ value: Bytes) throws(HTTPFault) {
        for index in 0..<value.count {
            switch value.base[index] {
            case 0x20, 0x09, 0x2C, 0x2F, 0x3F, 0x23, 0x40, 0x5C: throw HTTPFault(400, "a Host that is none")
            default: continue
            }
        }
    }
}
