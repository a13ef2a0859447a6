import CofferPluginSDK
import CofferSystem
import CofferTransport
import Glibc
import Testing

/// A server of one object that honours ranges, and does to each answer what `harm` says.
private func object(
    _ bytes: [UInt8],
    tag: String? = "\"v1\"",
    harm: @escaping @Sendable (Int, [UInt8], Peer) -> Bool = { _, _, _ in false }
) -> ScriptedServer.Script {
    { number, request, peer in
        var fields = tag.map { ["ETag: \($0)"] } ?? ["Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"]
        guard let range = request.field("range") else {
            if !harm(number, bytes, peer) { peer.answer(200, fields, bytes) }
            return
        }
        let ends = range.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map { text in
            // A number that is too large lies past every end.
            text.isEmpty ? nil : Int(text) ?? .max
        }
        let first = ends[0] ?? max(0, bytes.count - (ends[1] ?? 0))
        guard first < bytes.count else { return peer.answer(416, ["Content-Range: bytes */\(bytes.count)"]) }
        let last = ends[0] == nil ? bytes.count - 1 : min(ends[1] ?? .max, bytes.count - 1)
        fields.append("Content-Range: bytes \(first)-\(last)/\(bytes.count)")
        let slice = Array(bytes[first...last])
        if !harm(number, slice, peer) { peer.answer(206, fields, slice) }
    }
}

@Suite struct ReadTests {
    private func bytes(_ endpoint: HTTPEndpoint, _ range: ReadRange) throws -> [UInt8] {
        guard case .reading(let read) = try endpoint.read(HTTPRequest("GET", "/x"), range, call: patientCall()) else {
            return []
        }
        let all = try drain(read)
        #expect(UInt64(all.count) == UInt64(read.range.count))
        return all
    }

    @Test func rangesAreExact() throws {
        let whole = pattern(100_000)
        try withEndpoint(object(whole)) { endpoint, server in
            let cases: [(ReadRange, ArraySlice<UInt8>)] = [
                (.all, whole[...]), (.from(0), whole[...]), (.from(99_999), whole[99_999...]),
                (.slice(offset: 3, length: 4), whole[3..<7]), (.slice(offset: 99_990, length: .max), whole[99_990...]),
                (.slice(offset: 5, length: 0), []), (.suffix(0), []), (.suffix(10), whole.suffix(10)),
                (.suffix(.max >> 1), whole[...]),
            ]
            for (range, expected) in cases {
                let got = try bytes(endpoint, range)
                #expect(got.elementsEqual(expected), "\(range)")
            }
            let opening = try endpoint.read(HTTPRequest("GET", "/x"), .from(100_000), call: patientCall())
            guard case .refused(let answer) = opening else { return #expect(Bool(false)) }
            #expect(answer.status == 416 && answer.failure("x").code == .range)
        }
    }

    @Test func anEmptyObjectHasTheRangesThatFitIt() throws {
        try withEndpoint(object([])) { endpoint, _ in
            for range in [ReadRange.all, .from(0), .slice(offset: 0, length: 9), .suffix(4), .suffix(0)] {
                let got = try bytes(endpoint, range)
                #expect(got.isEmpty)
            }
        }
    }

    @Test func anEmptyObjectMayComeAsPartOfItself() throws {
        let script: ScriptedServer.Script = { _, _, peer in peer.answer(206, ["Content-Range: bytes 0--1/0"]) }
        try withEndpoint(script) { endpoint, _ in
            let got = try bytes(endpoint, .suffix(4))
            #expect(got.isEmpty)
            #expect(failure { _ = try bytes(endpoint, .from(1)) }?.code == .corrupt)
        }
    }

    @Test func hugeRangesDoNotOverflow() throws {
        try withEndpoint(object(pattern(100))) { endpoint, _ in
            for length in [UInt64.max, .max - 1, .max >> 1] {
                let got = try bytes(endpoint, .slice(offset: 1, length: length))
                #expect(got.elementsEqual(pattern(100).dropFirst()))
                let far = ReadRange.slice(offset: .max, length: length)
                let opening = try endpoint.read(HTTPRequest("GET", "/"), far, call: patientCall())
                guard case .refused(let answer) = opening else { return #expect(Bool(false)) }
                #expect(answer.status == 416)
            }
        }
    }

    @Test func aServerThatIgnoresRangesGivesTheRightSlice() throws {
        let whole = pattern(300_000)
        try withEndpoint({ _, _, peer in peer.answer(200, ["ETag: \"a\""], whole) }) { endpoint, _ in
            let cases: [(ReadRange, ArraySlice<UInt8>)] = [
                (.slice(offset: 200_000, length: 7), whole[200_000..<200_007]), (.suffix(5), whole.suffix(5)),
                (.from(299_999), whole[299_999...]), (.slice(offset: 7, length: 0), []),
            ]
            for (range, expected) in cases {
                let got = try bytes(endpoint, range)
                #expect(got.elementsEqual(expected), "\(range)")
            }
            let error = failure { _ = try bytes(endpoint, .from(300_000)) }
            #expect(error?.code == .range)
        }
    }

    @Test func anotherRangeThanAskedForIsCorrupt() throws {
        let wrong = [
            "bytes 0-3/10", "bytes 2-4/10", "bytes 2-6/10", "bytes 2-5/*", "items 2-5/10", "bytes 5-2/10", "",
        ]
        for field in wrong {
            let script: ScriptedServer.Script = { _, _, peer in
                peer.answer(206, ["Content-Range: \(field)"], pattern(4))
            }
            try withEndpoint(script) { endpoint, _ in
                #expect(failure { _ = try bytes(endpoint, .slice(offset: 2, length: 4)) }?.code == .corrupt, "\(field)")
            }
        }
    }

    @Test(arguments: [10, 50, 99], ["reset", "end", "stall"])
    func aBrokenReadGoesOnAtTheSameVersion(percent: Int, how: String) throws {
        let whole = pattern(500_000)
        let script = object(whole) { number, slice, peer in
            guard number == 0 else { return false }
            peer.send(
                "HTTP/1.1 206 OK\r\nETag: \"v1\"\r\nContent-Range: bytes 1-499999/500000\r\nContent-Length: 499999\r\n\r\n"
            )
            peer.send(Array(slice.prefix(slice.count * percent / 100)))
            switch how {
            case "reset": peer.reset()
            case "end": peer.finish()
            default: peer.awaitEnd()
            }
            return true
        }
        try withEndpoint(script) { endpoint, server in
            let got = try bytes(endpoint, .from(1))
            #expect(got.elementsEqual(whole[1...]))
            let second = server.requests[1]
            #expect(second.field("if-match") == "\"v1\"")
            #expect(second.field("range")?.hasSuffix("-499999") == true)
            #expect(server.requests.count == 2)
        }
    }

    @Test(arguments: ["412", "other tag", "other size", "whole"])
    func aVersionThatChangedIsNeverMixed(how: String) throws {
        let whole = pattern(50_000)
        let script: ScriptedServer.Script = { number, request, peer in
            if number == 0 {
                peer.send("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 50000\r\n\r\n")
                peer.send(Array(whole.prefix(10_000)))
                return peer.reset()
            }
            switch how {
            case "412": peer.answer(412)
            case "other tag":
                let start = Int(request.field("range")?.dropFirst(6).split(separator: "-")[0] ?? "") ?? 0
                let slice = Array(whole[start...])
                peer.answer(206, ["ETag: \"v2\"", "Content-Range: bytes \(start)-49999/50000"], slice)
            case "other size": peer.answer(200, ["ETag: \"v1\""], pattern(60_000))
            default: peer.answer(200, ["ETag: \"v1\""], whole)
            }
        }
        try withEndpoint(script) { endpoint, _ in
            if how == "whole" {
                let got = try bytes(endpoint, .all)
                #expect(got == whole)
            } else {
                #expect(failure { _ = try bytes(endpoint, .all) }?.code == .changed)
            }
        }
    }

    @Test func aReadThatNothingPinsIsNotResumed() throws {
        let script: ScriptedServer.Script = { number, _, peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            peer.finish()
        }
        try withEndpoint(script) { endpoint, server in
            #expect(failure { _ = try bytes(endpoint, .all) }?.code == .corrupt)
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: ["200", "404", "other size"])
    func aReadOfANamedVersionNeedsNoTagToGoOn(how: String) throws {
        let whole = pattern(50_000)
        let script: ScriptedServer.Script = { number, request, peer in
            if number == 0 {
                peer.send("HTTP/1.1 200 OK\r\nETag: CAE=\r\nContent-Length: 50000\r\n\r\n")
                peer.send(Array(whole.prefix(10_000)))
                return peer.reset()
            }
            switch how {
            case "404": peer.answer(404)
            case "other size": peer.answer(200, ["ETag: CAE="], pattern(60_000))
            default: peer.answer(200, ["ETag: CAE="], whole)
            }
        }
        try withEndpoint(script) { endpoint, server in
            var request = HTTPRequest("GET", "/x?generation=1")
            request.namesVersion = true
            guard case .reading(let read) = try endpoint.read(request, .all, call: patientCall()) else {
                return #expect(Bool(false))
            }
            if how == "200" {
                #expect(try drain(read) == whole)
            } else {
                #expect(failure { _ = try drain(read) }?.code == .changed)
            }
            #expect(server.requests[1].field("if-match") == nil)
        }
    }

    @Test func aReaderThatRestsHoldsTheServerBack() throws {
        let sent = Locked(0)
        let script: ScriptedServer.Script = { _, _, peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
            let block = [UInt8](repeating: 7, count: 100_000)
            for _ in 0..<2000 {
                guard peer.send(block) else { return }
                sent.withLock { $0 += block.count }
            }
        }
        try withEndpoint(script) { endpoint, server in
            let response = try endpoint.open(HTTPRequest("GET", "/"), call: patientCall())
            var buffer = [UInt8](repeating: 0, count: 1000)
            var span = buffer.mutableSpan
            var bytes = span.mutableBytes
            #expect(try response.read(into: &bytes, call: patientCall()) > 0)
            // The kernel's buffers fill, and then nothing moves.
            var last = -1
            #expect(
                eventually {
                    usleep(50_000)
                    let now = sent.withLock { $0 }
                    defer { last = now }
                    return now == last
                }
            )
            #expect(sent.withLock { $0 } < 50_000_000)
            response.close()
            #expect(eventually { server.openConnections == 0 })
        }
    }
}
