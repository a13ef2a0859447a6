// The ABI grows at the ends of its structs: plugins of an older and of a newer header than ours load and work.
import CofferBackend
import CofferCrypto
import CofferModel
import CofferPluginHost
import CofferTestSupport
import Glibc
import Testing

@Suite struct GrowthTests {
    @Test func aPluginOfAnOlderHeaderWorks() throws {
        // The last members of each struct that a plugin allocates are not there yet.
        let cuts = [
            ("    int64_t     min, max;", "} coffer_option;"),
            ("    const void *(*get_extension)(const char *id); /*", "} coffer_plugin;"),
            ("    size_t     n_checksums;\n    const coffer_checksum *checksums;\n} coffer_entry;", "} coffer_entry;"),
            ("    /* One on_entry with the target.", "} coffer_ops;"),
        ]
        var header = try currentHeader()
        for (from, to) in cuts { header = try header.without(from: from, upTo: to) }
        try withHeader(header) { include in
            try withTiny(["-DOLD"], include: include) { store in
                try works(store)
                #expect(!store.capabilities.has(.copy))
                #expect(failure { try store.usage(Call()) }?.code == .unsupported)
            }
        }
    }

    @Test func aPluginOfANewerHeaderWorks() throws {
        var header = try currentHeader()
        for name in [
            "coffer_option", "coffer_plugin", "coffer_entry", "coffer_ops", "coffer_open_args", "coffer_open_result",
            "coffer_read_args", "coffer_read_result", "coffer_write_args", "coffer_list_args", "coffer_call",
            "coffer_commit_args", "coffer_sink", "coffer_host", "coffer_error", "coffer_remove_item",
        ] {
            header = try header.replacing("} \(name);", with: "    void *future[5];\n} \(name);")
        }
        try withHeader(header) { include in
            try withTiny(include: include) { store in
                try works(store)
                #expect(try store.usage(Call()).first?.value == 2)
            }
        }
    }

    @Test func aPluginOfTheFrozenHeaderWorks() throws {
        try withTiny(include: repositoryRoot + "/plugin-sdk/C/frozen/1.0") { store in
            try works(store)
            #expect(try store.usage(Call()).first?.value == 2)
        }
    }

    /// What it promises about memory is asserted by `layout.c` beside it, in every build.
    @Test func theFrozenHeaderIsWhatItWas() throws {
        let header = try read(repositoryRoot + "/plugin-sdk/C/frozen/1.0/coffer_backend.h")
        #expect(
            hex(Digest.of(header)) == "02ffaa827ac9692b3be5f0ab78b731d678e851d19f85c425e31af95b9a68eedf"
        )
    }

    /// What every plugin of `tiny.c` does, of whatever header.
    private func works(_ store: any Backend) throws {
        try store.put("a", "hello", type: "text/plain")
        try store.put("b", "world")
        #expect(try store.stat(ReadRequest(key: "a"), Call()).metadata.contentType == "text/plain")
        #expect(try store.get("a", .suffix(2)) == "lo")
        let stream = try store.openList(ListQuery(), Call())
        defer { stream.close() }
        var batch = ListBatch()
        #expect(try !stream.next(into: &batch, limit: 10, Call()))
        #expect((0..<batch.count).map { batch.key(at: $0) } == ["a", "b"])
        #expect(failure { try store.get("c") }?.code == .notFound)
    }

    private func currentHeader() throws -> String {
        String(decoding: try read(repositoryRoot + "/plugin-sdk/C/include/coffer_backend.h"), as: UTF8.self)
    }

    private func withHeader(_ text: String, _ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try write(Array(text.utf8), to: "\(directory)/coffer_backend.h")
            try body(directory)
        }
    }
}

/// A text that the header should have and has not.
private struct NotInHeader: Error {
    let text: String
}

extension String {
    /// Where `part` begins; Swift's own search for texts is in Foundation.
    private func start(of part: String, after start: Int = 0) throws -> Int {
        let bytes = Array(utf8)
        let part = Array(part.utf8)
        for index in start...(bytes.count - part.count) where bytes[index...].starts(with: part) { return index }
        throw NotInHeader(text: String(decoding: part, as: UTF8.self))
    }

    fileprivate func without(from: String, upTo end: String) throws -> String {
        let bytes = Array(utf8)
        let first = try start(of: from)
        let last = try start(of: end, after: first)
        return String(decoding: bytes[..<first] + bytes[last...], as: UTF8.self)
    }

    fileprivate func replacing(_ part: String, with other: String) throws -> String {
        let bytes = Array(utf8)
        let first = try start(of: part)
        return String(
            decoding: bytes[..<first] + Array(other.utf8) + bytes[(first + part.utf8.count)...],
            as: UTF8.self
        )
    }
}
