// Many threads on one plugin, and many openings of it: nothing is torn, nothing is left open.
import CofferBackend
import CofferModel
import CofferPluginHost
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct ThreadTests {
    @Test func eightThreadsShareAStore() throws {
        try withTiny { store in
            let failures = onThreads(8) { thread in
                for round in 0..<60 {
                    let key = Key("t\(thread)/\(round % 7)")
                    let text = String(repeating: "\(thread).\(round) ", count: 1 + round * 3)
                    try store.put(key, text)
                    let info = try store.stat(ReadRequest(key: key), Call())
                    guard info.size == Int64(text.utf8.count), try store.get(key) == text else { throw Torn(key: key) }
                    let stream = try store.openList(ListQuery(prefix: "t\(thread)/"), Call())
                    var batch = ListBatch()
                    _ = try stream.next(into: &batch, limit: 3, Call())
                    stream.close()
                }
            }
            #expect(failures.isEmpty, "\(failures)")
        }
    }

    @Test(arguments: ["COFFER_THREADS_SERIAL_INSTANCE", "COFFER_THREADS_SERIAL_PLUGIN"])
    func aPluginThatWantsOneCallAtATimeGetsOne(threads: String) throws {
        try withTiny(["-DTHREADS=\(threads)"]) { store in
            try store.put("k", "x")
            let failures = onThreads(4) { _ in
                for _ in 0..<50 { _ = try store.stat(ReadRequest(key: "k"), Call()) }
            }
            #expect(failures.isEmpty, "\(failures)")
        }
    }

    @Test func aThousandOpeningsLeaveNoDescriptor() throws {
        try withTinyRegistry(["-DID=\"tiny-leak\""]) { registry in
            let path = try #require(registry.list().first?.path)
            for _ in 0..<1000 {
                let store = try registry.open("tiny-leak", storageName: "s", options: [])
                try store.put("k", "x")
                _ = try store.openRead(ReadRequest(key: "k", wantsDescriptor: true), Call())
                _ = try store.openRead(ReadRequest(key: "k"), Call())
                store.close()
            }
            let open = openFiles()
            #expect(!open.contains { $0.contains("memfd:tiny-leak") })
            #expect(open.filter { $0 == path }.count == 1, "the library itself stays open, once")
        }
    }

    @Test func aStreamOutlivesTheClosingOfItsStore() throws {
        try withTinyRegistry { registry in
            let store = try registry.open("tiny", storageName: "s", options: [])
            try store.put("k", "hello")
            let result = try store.openRead(ReadRequest(key: "k"), Call())
            store.close()
            store.close()
            guard case .stream(let stream) = result.body else { return }
            var buffer = [UInt8](repeating: 0, count: 5)
            var span = buffer.mutableSpan
            var bytes = span.mutableBytes
            #expect(try stream.read(into: &bytes, Call()) == 5)
            #expect(failure { try store.stat(ReadRequest(key: "k"), Call()) }?.code == .unavailable)
            stream.close()
        }
    }

    /// Where the descriptors of this process lead.
    private func openFiles() -> [String] {
        var files: [String] = []
        var buffer = [CChar](repeating: 0, count: 4096)
        for number in 0..<4096 {
            let count = readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
            guard count > 0 else { continue }
            files.append(String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        return files
    }
}

/// What was read is not what was written.
private struct Torn: Error {
    let key: Key
}

/// Runs `body` on `count` threads of our own at once, and gives what they threw.
private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) -> [String] {
    final class Job: Sendable {
        let number: Int
        let body: @Sendable (Int) throws -> Void
        let failures: Locked<[String]>

        init(_ number: Int, _ body: @escaping @Sendable (Int) throws -> Void, _ failures: Locked<[String]>) {
            self.number = number
            self.body = body
            self.failures = failures
        }
    }
    let failures = Locked<[String]>([])
    var threads: [pthread_t] = []
    for number in 0..<count {
        var thread = pthread_t()
        let job = Unmanaged.passRetained(Job(number, body, failures))
        let status = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let job = Unmanaged<Job>.fromOpaque(context).takeRetainedValue()
                do {
                    try job.body(job.number)
                } catch {
                    job.failures.withLock { $0.append("\(error)") }
                }
                return nil
            },
            job.toOpaque()
        )
        if status == 0 {
            threads.append(thread)
        } else {
            job.release()
            failures.withLock { $0.append("no thread: \(status)") }
        }
    }
    for thread in threads { pthread_join(thread, nil) }
    return failures.withLock { $0 }
}
