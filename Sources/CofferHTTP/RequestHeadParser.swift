import Glibc

/// The head of a request, and what it says about the connection.
package struct RequestHead: Sendable {
    /// The request, without peer and descriptor.
    package var request: HTTPRequest
    /// How many bytes it took.
    package var length: Int
    /// The client speaks HTTP/1.0: no chunks, no `100 Continue`.
    package var isOld: Bool
    /// The connection may carry another request.
    package var keepsAlive: Bool
    /// The client waits for `100 Continue` before it sends the body.
    package var expectsContinue: Bool
    /// The client says that a descriptor is attached.
    package var announcesDescriptor: Bool
}

/// Reads the heads of requests, without any I/O.
///
/// It is given everything that came since the head's first byte, again and again as more comes, and looks at each byte
/// twice at most. The answer depends on the bytes alone, never on how they were cut.
package struct RequestHeadParser: Sendable {
    /// What is too much.
    package struct Limits: Sendable {
        package var requestLine = 16 << 10
        package var head = 64 << 10
        package var fields = 128

        package init() {}
    }

    /// What came of looking at the bytes.
    package enum Outcome: Sendable {
        /// More bytes are needed.
        case incomplete
        case head(RequestHead)
        case invalid(HTTPFault)
    }

    private let limits: Limits
    private let descriptorField: [UInt8]
    /// Bytes in which the end has been looked for.
    private var scanned = 0
    /// Where the line that is being looked at starts.
    private var line = 0
    private var hasRequestLine = false

    /// `descriptorField` is the name, in lower case, of the field that announces a descriptor.
    package init(limits: Limits = Limits(), descriptorField: String = "coffer-fd") {
        self.limits = limits
        self.descriptorField = Array(descriptorField.utf8)
    }

    /// Starts over with a new head.
    package mutating func reset() {
        scanned = 0
        line = 0
        hasRequestLine = false
    }

    /// Looks for a whole head at the front of `bytes`.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let start = bytes.baseAddress else { return .incomplete }
        let base = start.assumingMemoryBound(to: UInt8.self)
        do throws(HTTPFault) {
            guard let (lead, end) = try findEnd(base, bytes.count) else { return .incomplete }
            let head = try read(base, from: lead, to: end)
            return .head(head)
        } catch {
            return .invalid(error)
        }
    }

    /// Where the head starts and ends; nil as long as its empty line has not come.
    private mutating func findEnd(
        _ base: UnsafePointer<UInt8>,
        _ count: Int
    ) throws(HTTPFault) -> (lead: Int, end: Int)? {
        // One empty line before a request is forgiven: old clients end a body with one too many.
        let lead = count >= 2 && base[0] == 0x0D && base[1] == 0x0A ? 2 : 0
        if count == 1 && base[0] == 0x0D { return nil }
        if scanned < lead {
            scanned = lead
            line = lead
        }
        while scanned < count, let found = memchr(base + scanned, 0x0A, count - scanned) {
            let at = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base
            if !hasRequestLine && at - lead >= limits.requestLine + 2 { throw HTTPFault(414, "the target is too long") }
            guard at < limits.head else { throw HTTPFault(431, "the head is too large") }
            guard at > lead && base[at - 1] == 0x0D else { throw HTTPFault(400, "bare LF in a head") }
            if at - 1 == line {
                guard hasRequestLine else { throw HTTPFault(400, "a request without a request line") }
                return (lead, at + 1)
            }
            hasRequestLine = true
            line = at + 1
            scanned = at + 1
        }
        scanned = count
        if !hasRequestLine && count - lead >= limits.requestLine + 2 {
            throw HTTPFault(414, "the target is too long")
        }
        guard count < limits.head else { throw HTTPFault(431, "the head is too large") }
        return nil
    }

    private func read(_ base: UnsafePointer<UInt8>, from lead: Int, to end: Int) throws(HTTPFault) -> RequestHead {
        let classes = ByteClass.table
        var at = lead
        while classes[Int(base[at])] & ByteClass.token.rawValue != 0 { at += 1 }
        guard at > lead && base[at] == 0x20 else { throw HTTPFault(400, "a method with a character that none has") }
        let method = Bytes(base: base + lead, count: at - lead)
        at += 1
        let targetStart = at
        while classes[Int(base[at])] & ByteClass.target.rawValue != 0 { at += 1 }
        guard at > targetStart && base[at] == 0x20 else { throw HTTPFault(400, "a request line without a target") }
        let target = try originForm(Bytes(base: base + targetStart, count: at - targetStart))
        let isOld = try version(base + at + 1)
        at += 11

        var framing = Framing()
        var fields = FieldParser(base, from: at, to: end)
        while let (name, value) = try fields.next(limit: limits.fields, origin: at) {
            try framing.take(name, value, descriptorField)
        }
        let body = try framing.check(isOld: isOld)
        let text = [UInt8](UnsafeBufferPointer(start: base + at, count: end - at))
        return RequestHead(
            request: HTTPRequest(
                method: method.string,
                target: target,
                headers: HTTPHeaders(text: text, slots: fields.slots),
                body: body
            ),
            length: end,
            isOld: isOld,
            keepsAlive: isOld ? framing.asksToKeep && !framing.asksToClose : !framing.asksToClose,
            expectsContinue: framing.expectsContinue && !isOld,
            announcesDescriptor: framing.announcesDescriptor
        )
    }

    /// Whether the eight bytes and CRLF at `bytes`, which end the request line, say HTTP/1.0.
    private func version(_ bytes: UnsafePointer<UInt8>) throws(HTTPFault) -> Bool {
        let fault = HTTPFault(400, "a request line without a version")
        for (index, wanted) in "HTTP/".utf8.enumerated() where bytes[index] != wanted { throw fault }
        let major = bytes[5] &- 0x30
        guard major <= 9, bytes[6] == 0x2E, bytes[7] &- 0x30 <= 9, bytes[8] == 0x0D, bytes[9] == 0x0A else {
            throw fault
        }
        guard major == 1 else { throw HTTPFault(505, "only HTTP/1.1 is spoken here") }
        return bytes[7] == 0x30
    }

    /// The target as a path with its query; a server must take the form with scheme and host as well.
    private func originForm(_ sent: Bytes) throws(HTTPFault) -> String {
        var start = 0
        if sent.base[0] != 0x2F && !(sent.count == 1 && sent.base[0] == 0x2A) {
            var scheme = 0
            while scheme < min(sent.count, 8) && sent.base[scheme] != 0x3A { scheme += 1 }
            let name = Bytes(base: sent.base, count: scheme)
            guard name.isWord("http") || name.isWord("https"), sent.count > scheme + 3,
                sent.base[scheme + 1] == 0x2F, sent.base[scheme + 2] == 0x2F
            else { throw HTTPFault(400, "a target that is not a path") }
            start = scheme + 3
            while start < sent.count && sent.base[start] != 0x2F && sent.base[start] != 0x3F { start += 1 }
            if start == sent.count { return "/" }
            if sent.base[start] == 0x3F { return "/" + (try text(sent, from: start)) }
        }
        return try text(sent, from: start)
    }

    private func text(_ sent: Bytes, from start: Int) throws(HTTPFault) -> String {
        let bytes = UnsafeBufferPointer(start: sent.base + start, count: sent.count - start)
        var all: UInt8 = 0
        for byte in bytes { all |= byte }
        if all < 0x80 { return String(decoding: bytes, as: UTF8.self) }
        // Repairing bad UTF-8 would make two different targets one.
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw HTTPFault(400, "a target that is not UTF-8")
        }
        return text
    }
}

extension Bytes {
    /// The text, for bytes that are known to be ASCII.
    var string: String { String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self) }
}
