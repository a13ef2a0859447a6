// Bytes of a client, against the parsers of heads, chunks and forms: none may trap, hang or depend on how the bytes
// were cut.

import CofferHTTP

/// One input: the first byte says where the bytes are cut, the rest is what a client sends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let data, size > 1 else { return 0 }
    let step = max(1, Int(data[0]))
    let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    heads(bytes, step)
    for limit in [4, 16 << 10] { chunks(bytes, step, trailerLimit: limit) }
    for type in [
        "multipart/form-data; boundary=b", "multipart/form-data; boundary=\"--x y\"",
        "multipart/form-data; charset=\"\\\"\"; boundary=b",
    ] {
        form(bytes, step, type)
    }
    _ = MultipartParser(contentType: "multipart/form-data; " + String(decoding: bytes, as: UTF8.self))
    _ = ResponseHead(parsing: Array(bytes)[...]).map { $0.bodyLength(method: "GET") }
    return 0
}

private func heads(_ bytes: UnsafeRawBufferPointer, _ step: Int) {
    var whole = RequestHeadParser()
    let expected = said(whole.parse(bytes))
    var pieces = RequestHeadParser()
    var found: [String] = []
    var end = 0
    repeat {
        end = min(bytes.count, end + step)
        found = said(pieces.parse(UnsafeRawBufferPointer(rebasing: bytes[..<end])))
    } while found.isEmpty && end < bytes.count
    // A fault may be seen before all bytes are there, but then the whole must be refused as well.
    precondition(found == expected, "a head that depends on its cut: \(expected) or \(found)")
}

/// What an outcome says; nothing where more bytes are needed.
private func said(_ outcome: RequestHeadParser.Outcome) -> [String] {
    switch outcome {
    case .incomplete: return []
    case .invalid(let fault): return ["\(fault.status)", fault.reason]
    case .head(let head):
        var words = ["\(head.length)", head.request.method, head.request.target, "\(head.request.body)"]
        words.append("\(head.isOld) \(head.keepsAlive) \(head.expectsContinue) \(head.announcesDescriptor)")
        for field in head.request.headers { words += [field.name, field.value] }
        _ = head.request.headers.all("host")
        return words
    }
}

private func chunks(_ bytes: UnsafeRawBufferPointer, _ step: Int, trailerLimit: Int) {
    let whole = decoded(bytes, bytes.count, trailerLimit)
    let pieces = decoded(bytes, step, trailerLimit)
    precondition(whole == pieces, "a chunked body that depends on its cut")
}

private struct Decoded: Equatable {
    var body: [UInt8] = []
    var trailers: HTTPHeaders?
    var fault: String?
    var used = 0
}

private func decoded(_ bytes: UnsafeRawBufferPointer, _ step: Int, _ trailerLimit: Int) -> Decoded {
    var decoder = ChunkedDecoder(trailerLimit: trailerLimit)
    var result = Decoded()
    var start = 0
    while start < bytes.count {
        let input = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + step)])
        var position = 0
        loop: while true {
            do throws(HTTPFault) {
                switch try decoder.next(input, from: &position) {
                case .data(let range):
                    precondition(!range.isEmpty, "a piece without bytes")
                    result.body += input[range]
                case .needsMore:
                    precondition(position == input.count, "more is asked for before all is used")
                    break loop
                case .finished:
                    result.trailers = decoder.trailers
                    result.used = start + position
                    return result
                }
            } catch {
                result.fault = "\(error.status) \(error.reason)"
                return result
            }
        }
        start += step
    }
    return result
}

private func form(_ bytes: UnsafeRawBufferPointer, _ step: Int, _ type: String) {
    guard let parser = MultipartParser(contentType: type) else { return }
    let whole = events(parser, bytes, bytes.count)
    let pieces = events(parser, bytes, step)
    precondition(whole == pieces, "a form that depends on its cut: \(whole) or \(pieces)")
}

/// What a form says, its bytes joined.
private func events(_ start: MultipartParser, _ bytes: UnsafeRawBufferPointer, _ step: Int) -> [String] {
    var parser = start
    var words: [String] = []
    var body: [UInt8] = []
    var at = 0
    while at < bytes.count {
        let piece = UnsafeRawBufferPointer(rebasing: bytes[at..<min(bytes.count, at + step)])
        do throws(MultipartParser.Malformed) {
            for event in try parser.receive(piece.bytes) {
                switch event {
                case .part(let part): words.append("part \(part)")
                case .bytes(let more): body += more
                case .end:
                    words.append("\(body)")
                    body = []
                }
            }
        } catch {
            // What came before the fault differs with the cut; that there is one does not.
            return [error.reason]
        }
        at += step
    }
    return words + ["\(parser.isComplete)"]
}
