import CofferJSON
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

/// What must hold when the host, its disk or its neighbours fail.
@Suite(.serialized) struct SurvivalTests {
    private let durable = "storages: { files: { backend: local, root: ./data, on_conflict: replace } }\n"

    /// The bytes of object `number`, so that any other bytes are recognised.
    private func content(_ number: Int) -> [UInt8] {
        let size = [10, 4096, 70_000, 300_000][number % 4]
        return (0..<size).map { UInt8(truncatingIfNeeded: ($0 &+ number) &* 131) }
    }

    @Test func whatWasAcknowledgedSurvivesAKill() throws {
        try withTemporaryDirectory { folder in
            let host = try HostProcess(in: folder, configuration: durable)
            let acknowledged = Locked<Set<Int>>([])
            let next = Locked(0)
            for round in 0..<Scale.count(quick: 50, full: 200) {
                try host.start()
                let socket = host.socket
                let limit = 1 + round % 37
                let done = Locked(0)
                let process = host.process
                _ = try onThreads(4) { _ in
                    guard let connection = try? RawConnection(socket) else { return }
                    while true {
                        let number = next.withLock { value in
                            value += 1
                            return value
                        }
                        // The host dies under us: from then on nothing is acknowledged.
                        guard
                            let answer = try? connection.request(
                                "PUT",
                                "/v1/storages/files/objects/r/\(number % 10)/\(number)",
                                body: content(number)
                            )
                        else { return }
                        #expect(answer.status == 201, "\(answer.text)")
                        acknowledged.withLock { _ = $0.insert(number) }
                        let count = done.withLock { value in
                            value += 1
                            return value
                        }
                        if count == limit { kill(process, SIGKILL) }
                    }
                }
                host.wait()
            }
            try host.start()
            defer { host.stop() }
            let connection = try RawConnection(host.socket)
            var found: Set<Int> = []
            for bucket in 0..<10 {
                for key in try connection.keys("files", "?limit=10000&prefix=r/\(bucket)/") {
                    let number = Int(key.split(separator: "/").last ?? "") ?? -1
                    let bytes = try connection.request("GET", "/v1/storages/files/objects/\(key)").body
                    #expect(bytes == content(number), "\(key) has \(bytes.count) bytes")
                    found.insert(number)
                }
            }
            let lost = acknowledged.withLock { $0 }.subtracting(found)
            #expect(lost.isEmpty, "acknowledged and lost: \(lost.sorted())")
            // What killed writers left behind is swept: nothing but objects and locks is there.
            let leftovers = try run(["find", "\(folder)/data/.coffer", "-type", "f", "-size", "+0"], in: folder)
            #expect(leftovers.output.isEmpty, "\(leftovers.output)")
        }
    }

    @Test func aFullDiskLosesNothing() throws {
        try withTemporaryDirectory { folder in
            mkdir("\(folder)/small", 0o700)
            guard mount("tmpfs", "\(folder)/small", "tmpfs", 0, "size=1m") == 0 else {
                // Without the right to mount there is no small disk: then this proves nothing, and says so.
                print("skipped: no right to mount a small disk")
                return
            }
            defer { umount("\(folder)/small") }
            let host = try HostProcess(
                in: folder,
                configuration: "storages: { files: { backend: local, root: ./small/data, on_conflict: replace } }\n"
            )
            try host.start()
            defer { host.stop() }
            let connection = try RawConnection(host.socket)
            try connection.put("files", "old", "old")
            for _ in 0..<3 {
                // A connection of its own: the host closes it rather than read on what nobody wants.
                let answer = try RawConnection(host.socket).request(
                    "PUT",
                    "/v1/storages/files/objects/old",
                    body: [UInt8](repeating: 7, count: 3 << 20)
                )
                #expect(answer.status == 507)
                #expect(try answer.code() == "no_space")
            }
            let again = try RawConnection(host.socket)
            #expect(try again.get("files", "old") == "old")
            try again.put("files", "small", "fits")
            #expect(try again.keys("files") == ["old", "small"])
        }
    }

    @Test(arguments: storageNames)
    func oneOfManyCreatorsWins(storage: String) throws {
        try withHost(sampleStorages) { host in
            let socket = host.socket
            for round in 0..<Scale.count(quick: 5, full: 50) {
                let statuses = try onThreads(64) { index in
                    try RawConnection(socket).request(
                        "PUT",
                        "/v1/storages/\(storage)/objects/one-\(round)",
                        fields: [("If-None-Match", "*")],
                        body: Array("writer \(index)".utf8)
                    ).status
                }
                #expect(statuses.filter { $0 == 201 }.count == 1)
                #expect(statuses.filter { $0 == 412 }.count == 63)
                let winner = statuses.firstIndex(of: 201) ?? -1
                #expect(try RawConnection(socket).get(storage, "one-\(round)") == "writer \(winner)")
            }
        }
    }

    @Test func countersOfTwoHostsOnOneRootEndExact() throws {
        try withTemporaryDirectory { folder in
            let hosts = try (0..<2).map { index in
                mkdir("\(folder)/h\(index)", 0o700)
                return try HostProcess(
                    in: "\(folder)/h\(index)",
                    configuration:
                        "storages: { files: { backend: local, root: \(folder)/shared, on_conflict: replace } }\n"
                )
            }
            for host in hosts { try host.start() }
            defer { for host in hosts { host.stop() } }
            try RawConnection(hosts[0].socket).put("files", "counter", "0")
            let sockets = hosts.map(\.socket)
            let rounds = Scale.count(quick: 10, full: 50)
            _ = try onThreads(6) { index in
                let connection = try RawConnection(sockets[index % 2])
                var done = 0
                while done < rounds {
                    let read = try connection.request("GET", "/v1/storages/files/objects/counter")
                    let value = Int(read.text) ?? -1
                    let write = try connection.request(
                        "PUT",
                        "/v1/storages/files/objects/counter",
                        fields: [("If-Match", read.field("etag") ?? "")],
                        body: Array(String(value + 1).utf8)
                    )
                    if write.status == 200 { done += 1 } else { #expect(write.status == 412, "\(write.text)") }
                }
            }
            #expect(try RawConnection(sockets[1]).get("files", "counter") == String(6 * rounds))
        }
    }
}
