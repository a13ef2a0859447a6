import CofferPluginSDK
import GridFSModel
import Testing

@testable import GridFSStore

@Suite struct CommandTests {
    private func chunks(_ command: [UInt8]) throws -> [Document] {
        let document = try #require(Document(command))
        #expect(document["insert"]?.text == Array("files.chunks".utf8))
        return try #require(document["documents"]?.elements).compactMap(\.fields)
    }

    /// Cut anyhow, the bytes lie in whole chunks, and only the very last one is short.
    @Test(arguments: [1, 7, 999, 1000, 1001, 2500, 10_000])
    func chunksAreWholeHoweverTheBytesCome(_ piece: Int) throws {
        let content = (0..<10_300).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let id = makeID()
        var batch = ChunkBatch(of: id, into: "files.chunks", chunkSize: 1000)
        var sent: [Document] = []
        for start in stride(from: 0, to: content.count, by: piece) {
            var part = Array(content[start..<min(start + piece, content.count)])
            while !part.isEmpty {
                if batch.isFull(3) { sent += try chunks(batch.take()) }
                let taken = part.withUnsafeBytes { batch.append($0) }
                part.removeFirst(taken)
            }
        }
        sent += try chunks(batch.take())
        #expect(sent.count == 11)
        var whole: [UInt8] = []
        for (number, chunk) in sent.enumerated() {
            #expect(chunk["files_id"] == .objectID(id))
            #expect(chunk["n"]?.integer == Int64(number))
            guard case .binary(subtype: 0, let data) = chunk["data"] else {
                Issue.record("chunk \(number) has no data")
                return
            }
            #expect(data.count == (number < 10 ? 1000 : 300))
            whole += data
        }
        #expect(whole == content)
        #expect(Set(sent.compactMap { $0["_id"] }).count == 11)
    }

    @Test func aChangeIsTheSameAfterItWasWrittenDown() throws {
        let edit = Change.Edit(
            file: .string(Array("an id".utf8)),
            expected: [("filename", .null), ("coffer.revision", .objectID(makeID()))],
            fields: [("filename", .string(Array("a/$b.c".utf8))), ("coffer.hidden", .null)],
            name: "a/$b.c"
        )
        let change = Change(edit: edit, over: [.objectID(makeID()), .int32(7)], other: "z")
        let read = try #require(Change(change.document))
        #expect(read.document == change.document)
        #expect(read.edit?.filter == edit.filter)
        #expect(read.edit?.update == edit.update)
        #expect(read.over == change.over)
        #expect(read.other == "z")
        // No field may be called like an operator or a path: older servers refuse to keep it.
        for (name, _) in change.document { #expect(!name.contains(0x24) && !name.contains(0x2E)) }
        #expect(edit.update["$set"]?.fields?["filename"] != nil)
        #expect(edit.update["$unset"]?.fields?["coffer.hidden"] != nil)
    }

    @Test func whatDescribesAnObjectIsKept() throws {
        let description = Description(
            properties: ["content-type": "text/plain", "cache-control": "no-store"],
            metadata: ["colour": "blue", "with.dot": "1", "$dollar": "2", "contentType": "3"],
            modified: 1_234_567_890_123_456_789,
            checksums: [Checksum(algorithm: "md5", value: "d41d8cd98f00b204e9800998ecf8427e")]
        )
        var (file, own) = (DocumentWriter(), DocumentWriter())
        description.write(into: &file, own: &own)
        let (document, ours) = (file.finish(), own.finish())
        #expect(document["contentType"]?.text == Array("text/plain".utf8))
        #expect(document["md5"]?.text == Array("d41d8cd98f00b204e9800998ecf8427e".utf8))
        // Only what every driver can read safely stands among the metadata.
        #expect(document["metadata"]?.fields?.map { String(decoding: $0.name, as: UTF8.self) } == ["colour"])
        let read = Description(file: document, own: ours)
        #expect(read.properties == description.properties)
        #expect(
            Set(read.metadata.map { "\($0.name)=\($0.value)" })
                == Set(description.metadata.map { "\($0.name)=\($0.value)" })
        )
        #expect(read.modified == description.modified)
        #expect(read.checksums == description.checksums)
    }

    @Test func aFileOfAnotherProgramIsRead() throws {
        func file(_ id: Value, _ more: (inout DocumentWriter) -> Void = { _ in }) -> StoredFile? {
            StoredFile(
                .make {
                    $0.append("_id", id)
                    $0.append("filename", "a")
                    $0.append("length", Int32(5))
                    $0.append("chunkSize", .double(261_120))
                    $0.append("uploadDate", .date(1_000))
                    more(&$0)
                }
            )
        }
        let id = makeID()
        #expect(file(.objectID(id))?.etag == ByteString(id.hexadecimal))
        #expect(file(.int32(1))?.etag != file(.int64(1))?.etag)
        #expect(file(.int32(1))?.modified == 1_000_000_000)
        #expect(file(.int32(1))?.chunkSize == 261_120)
        let described = try #require(
            file(.null) {
                $0.append("metadata") {
                    $0.append("contentType", "image/png")
                    $0.append("Pages", Int32(3))
                }
            }
        )
        #expect(described.entry().properties["content-type"] == "image/png")
        #expect(described.entry().metadata.map(\.name) == ["pages"])
        #expect(StoredFile(.make { $0.append("_id", .null) }) == nil)
    }
}
