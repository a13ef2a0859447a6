import CofferAPI
import CofferClient
import CofferModel
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

private let objectJSON = String(
    decoding: StoredObject(storage: "s", backend: "b", info: ObjectInfo(key: "k", size: 2), generation: 1).encode(),
    as: UTF8.self
)

private func answer(_ body: String, status: String = "200 OK", _ fields: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}

@Suite("The client takes what a host may say", .timeLimit(.minutes(10)))
struct ExchangeTests {
    @Test func aConnectionServesRequestAfterRequest() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(
                in: folder,
                [.read, .send(answer(objectJSON)), .read, .send(answer("hi")), .waitForEnd]
            )
            let storage = CofferClient(socket: host.path).storage("s")
            #expect(try await storage.stat("k").info.size == 2)
            #expect(try await storage.get("k", range: .slice(offset: 0, length: 2)) == Array("hi".utf8))
            storage.client.close()
            let requests = host.finish()
            #expect(requests[0] == "GET /v1/storages/s/stat/k HTTP/1.1\r\nHost: coffer\r\n\r\n")
            #expect(requests[1] == "GET /v1/storages/s/objects/k HTTP/1.1\r\nHost: coffer\r\nRange: bytes=0-1\r\n\r\n")
        }
    }

    @Test func anIdleConnectionThatClosedIsReplaced() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(
                in: folder,
                [.read, .send(answer(objectJSON)), .close],
                [.read, .send(answer(objectJSON)), .close]
            )
            let storage = CofferClient(socket: host.path).storage("s")
            _ = try await storage.stat("k")
            _ = try await storage.stat("k")
            #expect(host.finish().count == 2)
        }
    }

    @Test func aReadIsRepeatedOnceWhenAnOldConnectionGivesNoAnswer() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(
                in: folder,
                [.read, .send(answer(objectJSON)), .read, .close],
                [.read, .send(answer(objectJSON)), .close]
            )
            let storage = CofferClient(socket: host.path).storage("s")
            _ = try await storage.stat("k")
            _ = try await storage.stat("k")
            #expect(host.finish().count == 3)
        }
    }

    @Test func onlyADeletionThatSucceedsTwiceIsRepeated() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(
                in: folder,
                [.read, .send(answer(objectJSON)), .read, .close],
                [.read, .send(answer("")), .read, .close]
            )
            let storage = CofferClient(socket: host.path).storage("s")
            _ = try await storage.stat("k")
            try await storage.delete("k")
            let error = await #expect(throws: CofferError.self) { try await storage.removeContainer("c") }
            #expect(error?.code == .unavailable && error?.isMaybeApplied == true)
            let requests = host.finish()
            #expect(requests.count == 4)
            #expect(requests.last?.hasPrefix("DELETE /v1/storages/s/containers/c ") == true)
        }
    }

    @Test func aWriteIsNeverRepeated() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(in: folder, [.read, .send(answer(objectJSON)), .read, .close])
            let storage = CofferClient(socket: host.path).storage("s")
            _ = try await storage.stat("k")
            let error = await #expect(throws: CofferError.self) { try await storage.put([1], at: "k") }
            #expect(error?.code == .unavailable)
            #expect(error?.isMaybeApplied == true)
            #expect(error?.isRetryable == false)
            #expect(host.finish().count == 2)
        }
    }

    @Test(arguments: [
        "garbage\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ])
    func garbageIsAnErrorAndNoCrash(text: String) async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(in: folder, [.read, .send(text), .close])
            let storage = CofferClient(socket: host.path).storage("s")
            let error = await #expect(throws: CofferError.self) { try await storage.stat("k") }
            #expect(error?.code == .internal)
            _ = host.finish()
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
    ])
    func anAnswerThatEndsEarlyIsNeverTakenForWhole(text: String) async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(in: folder, [.read, .send(text), .close])
            let storage = CofferClient(socket: host.path).storage("s")
            let error = await #expect(throws: CofferError.self) { try await storage.get("k") }
            #expect(error?.code == .unavailable)
            _ = host.finish()
        }
    }

    @Test func chunksAreJoinedAndInterimAnswersPassedOver() async throws {
        try await withTemporaryDirectory { folder in
            let text =
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"
            let host = try ScriptedHost(in: folder, [.read, .send(text), .read, .send(answer(objectJSON)), .close])
            let storage = CofferClient(socket: host.path).storage("s")
            #expect(try await storage.get("k") == Array("hello".utf8))
            _ = try await storage.stat("k")
            #expect(host.finish().count == 2)
        }
    }

    @Test func aProblemIsThrownWithItsCode() async throws {
        try await withTemporaryDirectory { folder in
            let problem = CofferError(.rateLimited, "slow down", storage: "s", key: "k")
            let body = String(decoding: Problem.encode(problem), as: UTF8.self)
            let text = answer(body, status: "429 Too Many Requests", "Retry-After: 2\r\n")
            let host = try ScriptedHost(in: folder, [.read, .send(text), .close])
            let storage = CofferClient(socket: host.path).storage("s")
            let error = await #expect(throws: CofferError.self) { try await storage.stat("k") }
            #expect(error?.code == .rateLimited)
            #expect(error?.retryAfter == 2000)
            #expect(error?.key == "k")
            _ = host.finish()
        }
    }

    @Test func aMissingHostIsUnavailableAndNamesItsSocket() async throws {
        try await withTemporaryDirectory { folder in
            let path = folder + "/none.sock"
            let error = await #expect(throws: CofferError.self) { try await CofferClient(socket: path).health() }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(path) == true)
        }
    }

    @Test func anEarlyRefusalIsHeardInTheMiddleOfAWrite() async throws {
        try await withTemporaryDirectory { folder in
            let body = String(decoding: Problem.encode(CofferError(.tooLarge, "the limit is 5 bytes")), as: UTF8.self)
            let text = answer(body, status: "413 Content Too Large", "Connection: close\r\n")
            let host = try ScriptedHost(in: folder, [.readHead, .send(text), .close])
            let storage = CofferClient(socket: host.path).storage("s")
            let error = await #expect(throws: CofferError.self) {
                try await storage.put([UInt8](repeating: 7, count: 32 << 20), at: "k")
            }
            #expect(error?.code == .tooLarge)
            _ = host.finish()
        }
    }

    @Test func aWriteOfUnknownLengthIsChunked() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(in: folder, [.read, .send(answer(objectJSON, status: "201 Created")), .close])
            let writer = try await CofferClient(socket: host.path).storage("s").write(
                at: "a//b",
                options: PutOptions(onConflict: .rename, metadata: Metadata(contentType: "text/plain"))
            )
            try await writer.append(Array("hel".utf8))
            try await writer.append(Array("lo".utf8))
            _ = try await writer.finish()
            #expect(
                host.finish() == [
                    "PUT /v1/storages/s/object?key=a%2F%2Fb&on_conflict=rename HTTP/1.1\r\nHost: coffer\r\n"
                        + "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
                ]
            )
        }
    }

    @Test func aWriteThatIsLetGoNeverEnds() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(in: folder, [.read, .close])
            do {
                let writer = try await CofferClient(socket: host.path).storage("s").write(at: "k")
                try await writer.append([0x61])
            }
            let request = host.finish()[0]
            #expect(request.hasSuffix("1\r\na\r\n"))
        }
    }

    @Test func cancellingATaskEndsItsRequest() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(in: folder, [.read, .waitForEnd])
            let storage = CofferClient(socket: host.path).storage("s")
            let task = Task { try await storage.stat("k") }
            task.cancel()
            let error = await #expect(throws: CofferError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            _ = host.finish()
        }
    }

    @Test func anyPlaceIsReadOfTheSameVersion() async throws {
        let fields = "ETag: \"e\"\r\n"
        func part(_ range: String, _ bytes: String) -> String {
            answer(bytes, status: "206 Partial Content", fields + "Content-Range: bytes \(range)/9\r\n")
        }
        let gone = #"{"code":"precondition_failed","detail":"another version","status":412}"#
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(
                in: folder,
                [
                    .read, .send(part("2-5", "2345")), .read, .send(part("4-5", "45")),
                    .read, .send(answer(gone, status: "412 Precondition Failed")), .close,
                ]
            )
            let storage = CofferClient(socket: host.path).storage("s")
            let reader = try await storage.open("k", range: .slice(offset: 2, length: 4))
            var bytes: [UInt8] = []
            for try await piece in reader { bytes += piece }
            #expect(bytes == Array("2345".utf8))
            #expect(try await reader.read(at: 2, count: 9) == Array("45".utf8))
            #expect(try await reader.read(at: 4, count: 1).isEmpty)
            let changed = await #expect(throws: CofferError.self) { try await reader.read(at: 0, count: 1) }
            #expect(changed?.code == .changed)
            let negative = await #expect(throws: CofferError.self) { try await reader.read(at: -1, count: 1) }
            #expect(negative?.code == .invalidArgument)
            let request = host.finish()[1]
            #expect(request.contains("Range: bytes=4-5\r\n") && request.contains("If-Match: \"e\"\r\n"))
        }
    }

    @Test func aValueThatWouldMakeAnotherFieldIsRefused() async throws {
        try await withTemporaryDirectory { folder in
            let storage = CofferClient(socket: folder + "/none").storage("s")
            let options = PutOptions(metadata: Metadata(contentType: "a\r\nX: y"))
            let error = await #expect(throws: CofferError.self) { try await storage.put([], at: "k", options: options) }
            #expect(error?.code == .invalidArgument)
        }
    }
}

@Suite("Descriptors pass by the bytes", .timeLimit(.minutes(10)))
struct DescriptorTests {
    private func file(_ folder: String, _ text: String) throws -> Descriptor {
        let number = open(folder + "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        let descriptor = Descriptor(owning: number)
        try #require(number >= 0 && write(number, text, text.utf8.count) == text.utf8.count)
        return descriptor
    }

    @Test func anObjectIsReadFromThePassedFile() async throws {
        try await withTemporaryDirectory { folder in
            let file = try file(folder, "0123456789")
            let head =
                "HTTP/1.1 206 Partial Content\r\nContent-Length: 0\r\nCoffer-Fd: offset=2; length=5\r\n"
                + "Preference-Applied: coffer-fd\r\nContent-Range: bytes 1-5/8\r\nETag: \"e\"\r\n\r\n"
            let host = try ScriptedHost(in: folder, [.read, .pass(head, file), .close])
            let reader = try await CofferClient(socket: host.path).storage("s").open("k", range: .from(1))
            #expect(reader.range == 1..<6)
            #expect(reader.object.info.size == 8)
            #expect(reader.object.info.etag == "e")
            var bytes: [UInt8] = []
            for try await piece in reader { bytes += piece }
            #expect(bytes == Array("23456".utf8))
            #expect(try await reader.read(at: 3, count: 100) == Array("56".utf8))
            #expect(try await reader.read(at: 0, count: 2) == Array("23".utf8))
            #expect(try await reader.read(at: 5, count: 1).isEmpty)
            #expect(host.finish()[0].contains("Prefer: coffer-fd\r\n"))
        }
    }

    @Test func aFileThatEndsEarlyIsCorrupt() async throws {
        try await withTemporaryDirectory { folder in
            let file = try file(folder, "012")
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCoffer-Fd: offset=0; length=5\r\n\r\n"
            let host = try ScriptedHost(in: folder, [.read, .pass(head, file), .close])
            let storage = CofferClient(socket: host.path).storage("s")
            let error = await #expect(throws: CofferError.self) { try await storage.get("k") }
            #expect(error?.code == .corrupt)
            _ = host.finish()
        }
    }

    @Test func aPromisedDescriptorThatDoesNotComeIsAnError() async throws {
        try await withTemporaryDirectory { folder in
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCoffer-Fd: offset=0; length=5\r\n\r\n"
            let host = try ScriptedHost(in: folder, [.read, .send(head), .close])
            let storage = CofferClient(socket: host.path).storage("s")
            let error = await #expect(throws: CofferError.self) { try await storage.get("k") }
            #expect(error?.code == .unavailable)
            _ = host.finish()
        }
    }

    @Test func aDescriptorThatNobodyAskedForIsClosed() async throws {
        try await withTemporaryDirectory { folder in
            let file = try file(folder, "x")
            let host = try ScriptedHost(in: folder, [.read, .pass(answer(objectJSON), file), .close])
            let storage = CofferClient(socket: host.path).storage("s")
            #expect(try await storage.stat("k").key == "k")
            _ = host.finish()
        }
    }

    @Test func aLargeFileGoesByItsDescriptorAndASmallOneByItsBytes() async throws {
        try await withTemporaryDirectory { folder in
            let host = try ScriptedHost(
                in: folder,
                [.read, .send(answer(objectJSON)), .read, .send(answer(objectJSON)), .close]
            )
            let storage = CofferClient(socket: host.path).storage("s")
            for count in [64 << 10, 3] {
                let file = try file(folder, String(repeating: "x", count: count))
                ftruncate(file.number, count)
                try await storage.put(contentsOf: folder + "/file", at: "k")
            }
            let requests = host.finish()
            #expect(requests[0].contains("Coffer-Fd: offset=0; length=65536\r\nContent-Length: 0\r\n"))
            #expect(requests[1].hasSuffix("Content-Length: 3\r\n\r\nxxx"))
        }
    }
}
