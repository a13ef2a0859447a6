// The words of the protocol, byte by byte, and what no server may make us believe.

import Testing

@testable import SFTPBackend
@testable import SFTPWire

@Suite("SFTP words")
struct WireTests {
    @Test("A request is its length, its type, its number and its fields, numbers with the highest byte first")
    func requestBytes() {
        var packet = Packet(PacketType.open, id: 0x0102_0304)
        packet.string(Array("a/b".utf8))
        packet.number(OpenFlags([.write, .create, .exclusive]).rawValue)
        packet.attributes(Attributes(permissions: 0o600))
        let expected: [UInt8] = [
            0, 0, 0, 24, 3, 1, 2, 3, 4, 0, 0, 0, 3, 0x61, 0x2F, 0x62, 0, 0, 0, 0x2A, 0, 0, 0, 4, 0, 0, 1, 0x80,
        ]
        #expect(packet.finish() == expected)
    }

    @Test("Data that follow a request are counted in its length")
    func followingData() {
        var packet = Packet(PacketType.write, id: 1)
        packet.string([7])
        packet.wide(1 << 40)
        packet.number(1000)
        let bytes = packet.finish(following: 1000)
        #expect(bytes.count == 4 + 5 + 5 + 8 + 4)
        #expect(bytes[..<4].elementsEqual([0, 0, 0x03, 0xFE] as [UInt8]))
        #expect(bytes[14..<22].elementsEqual([0, 0, 1, 0, 0, 0, 0, 0] as [UInt8]))
    }

    @Test("Both times are sent where one is given, since they share a flag")
    func times() {
        var packet = Packet(PacketType.setHandleStat, id: 1)
        packet.attributes(Attributes(modified: 5))
        #expect(packet.finish().suffix(12).elementsEqual([0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0, 5] as [UInt8]))
    }

    @Test("An answer that ends inside a field is refused at every byte")
    func cutAnswers() throws {
        let names: [UInt8] =
            [0, 0, 0, 1, 0, 0, 0, 1, 0x61, 0, 0, 0, 2, 0x2D, 0x2D, 0x80, 0, 0, 0x0F]
            + [0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0x81, 0xA4, 0, 0, 0, 3, 0, 0, 0, 4]
            + [0, 0, 0, 1, 0, 0, 0, 1, 0x78, 0, 0, 0, 0]
        var whole = PacketReader(names)
        let read = try whole.names()
        #expect(read.count == 1 && read[0].name.elementsEqual("a".utf8))
        #expect(read[0].attributes.size == 9 && read[0].attributes.modified == 4)
        #expect(read[0].attributes.isPlainFile && !read[0].attributes.isDirectory)
        for length in 0..<names.count {
            var cut = PacketReader(Array(names[..<length]))
            #expect(throws: WireError.self) { try cut.names() }
        }
    }

    @Test("A count that no answer could hold reserves nothing", arguments: [0xFFFF_FFFF, 0x7FFF_FFFF, 2] as [UInt32])
    func absurdCounts(count: UInt32) {
        let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> UInt32($0)) }
        var reader = PacketReader(bytes + [0, 0, 0, 0])
        #expect(throws: WireError.self) { try reader.names() }
    }

    @Test("A status without words is a status")
    func bareStatus() throws {
        var reader = PacketReader([0, 0, 0, 2])
        #expect(try reader.status() == Status(code: Status.noSuchFile, words: ""))
    }

    @Test("Extensions are pairs of a name and its version")
    func extensions() throws {
        var reader = PacketReader([0, 0, 0, 1, 0x61, 0, 0, 0, 1, 0x31, 0, 0, 0, 1, 0x62, 0, 0, 0, 0])
        #expect(try reader.extensions() == ["a": "1", "b": ""])
    }

    @Test("Answers are the same however the stream is cut", arguments: [1, 2, 3, 7, 100])
    func cutStream(piece: Int) throws {
        let answers: [[UInt8]] = [[101], Array(0...200), [103, 0, 0, 0, 1]]
        let stream: [UInt8] = answers.flatMap { answer -> [UInt8] in [0, 0, 0, UInt8(answer.count)] + answer }
        var inbox = Inbox()
        var received: [[UInt8]] = []
        for start in stride(from: 0, to: stream.count, by: piece) {
            let part = Array(stream[start..<min(start + piece, stream.count)])
            try part.withUnsafeBytes { bytes in try inbox.take(bytes) { received.append($0) } }
        }
        #expect(received == answers)
    }

    @Test("An answer of no length, or of more than any server sends, ends the connection")
    func absurdLengths() {
        for head in [[0, 0, 0, 0], [0, 0x20, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF]] as [[UInt8]] {
            var inbox = Inbox()
            #expect(throws: WireError.self) {
                try head.withUnsafeBytes { bytes in try inbox.take(bytes) { _ in } }
            }
        }
    }

    @Test("What is to be sent goes out in order, whatever the window takes")
    func outbox() {
        var outbox = Outbox()
        var sent: [UInt8] = []
        for round in 0..<100 {
            outbox.append((0..<round).map { UInt8(truncatingIfNeeded: $0) })
            let count = min(outbox.count, 37)
            outbox.withFront { sent.append(contentsOf: $0.prefix(count)) }
            outbox.drop(count)
        }
        outbox.withFront { sent.append(contentsOf: $0) }
        #expect(sent == (0..<100).flatMap { round in (0..<round).map { UInt8(truncatingIfNeeded: $0) } })
    }
}
