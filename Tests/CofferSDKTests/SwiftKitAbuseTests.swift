// Nonsense at each entry of the Swift kit: an error, never a trap.

import CCofferPlugin
import CofferPluginSDK
import CofferSystem
import Glibc
import Testing

private func instanceOf() throws -> (OpaquePointer, coffer_ops) {
    let table = try rawPlugin(TinyBackend.self).pointee.ops.pointee
    let strings = RawStrings()
    var options = [coffer_kv(key: strings("root"), value: strings("/"))]
    var result = coffer_open_result()
    result.struct_size = UInt32(MemoryLayout<coffer_open_result>.size)
    _ = options.withUnsafeMutableBufferPointer { options in
        var arguments = coffer_open_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_open_args>.size)
        arguments.n_options = 1
        arguments.options = UnsafePointer(options.baseAddress)
        return table.open(&arguments, nil, &result, nil)
    }
    return (try #require(result.instance), table)
}

@Suite("The Swift kit under abuse")
struct SwiftKitAbuseTests {
    @Test func nothingAtAllIsAnErrorEverywhere() throws {
        let table = try rawPlugin(TinyBackend.self).pointee.ops.pointee
        let (instance, _) = try instanceOf()
        defer { table.close(instance) }
        let bad = COFFER_E_INVALID_ARGUMENT
        #expect(table.open(nil, nil, nil, nil) == bad)
        #expect(table.health(nil, nil, nil, nil) == bad)
        #expect(table.health(instance, nil, nil, nil) == COFFER_OK)
        for handle in [nil, instance] {
            #expect(table.stat(handle, nil, nil, nil, nil) == bad)
            #expect(table.read_open(handle, nil, nil, nil, nil, nil) == bad)
            #expect(table.write_begin(handle, nil, nil, nil, nil) == bad)
            #expect(table.remove(handle, nil, nil, nil) == bad)
            #expect(table.remove_batch(handle, nil, nil, 3, 0, nil, nil) == bad)
            #expect(table.list_open(handle, nil, nil, nil, nil) == bad)
        }
        #expect(table.read(nil, nil, nil, 1, nil, nil) == bad)
        #expect(table.write_append(nil, nil, nil, 1, nil) == bad)
        #expect(table.write_commit(nil, nil, nil, nil, nil) == bad)
        #expect(table.list_next(nil, nil, 1, nil, nil, nil) == bad)
        table.read_close(nil)
        table.write_close(nil)
        table.list_close(nil)
        table.close(nil)
    }

    @Test(arguments: [
        [], [0x61, 0], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [UInt8](repeating: 0x61, count: 1025),
    ])
    func whatIsNoKeyIsRefused(_ bytes: [UInt8]) throws {
        let (instance, table) = try instanceOf()
        defer { table.close(instance) }
        let strings = RawStrings()
        var arguments = coffer_read_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
        arguments.key = strings(bytes)
        #expect(table.stat(instance, nil, &arguments, nil, nil) == COFFER_E_INVALID_KEY)
        #expect(table.remove(instance, nil, &arguments, nil) == COFFER_E_INVALID_KEY)
    }

    @Test func keysAreBytesAndNothingElse() throws {
        let (instance, table) = try instanceOf()
        defer { table.close(instance) }
        let keys = ["\u{e9}", "e\u{301}", "../x", ".", "a\r\nb", "%2F", " "]
        for key in keys {
            let strings = RawStrings()
            var arguments = coffer_write_args()
            arguments.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
            arguments.key = strings(key)
            arguments.size = 0
            var stream: OpaquePointer?
            #expect(table.write_begin(instance, nil, &arguments, &stream, nil) == COFFER_OK)
            #expect(table.write_commit(stream, nil, nil, nil, nil) == COFFER_OK)
            table.write_close(stream)
        }
        var list = coffer_list_args()
        list.struct_size = UInt32(MemoryLayout<coffer_list_args>.size)
        var stream: OpaquePointer?
        #expect(table.list_open(instance, nil, &list, &stream, nil) == COFFER_OK)
        var done: UInt32 = 0
        let page = ask { call, sink, error in table.list_next(stream, call, 100, &done, sink, error) }
        table.list_close(stream)
        #expect(done == 1)
        let listed = page.entries.map { Array($0.key.utf8) }
        #expect(listed == keys.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test func negativeAndHugeNumbersAreErrors() throws {
        let (instance, table) = try instanceOf()
        defer { table.close(instance) }
        let strings = RawStrings()
        var read = coffer_read_args()
        read.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
        read.key = strings("k")
        read.length = -2
        #expect(table.stat(instance, nil, &read, nil, nil) == COFFER_E_INVALID_ARGUMENT)
        read.length = .max
        read.offset = .max
        var result = coffer_read_result()
        result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
        #expect(table.read_open(instance, nil, &read, &result, nil, nil) == COFFER_E_UNSUPPORTED)
        var write = coffer_write_args()
        write.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
        write.key = strings("k")
        write.size = -2
        var stream: OpaquePointer?
        #expect(table.write_begin(instance, nil, &write, &stream, nil) == COFFER_E_INVALID_ARGUMENT)
        write.size = -1
        for count in [1, .max, -1] {
            write.n_props = count
            #expect(table.write_begin(instance, nil, &write, &stream, nil) == COFFER_E_INVALID_ARGUMENT)
        }
        read.key = coffer_str(ptr: nil, len: 3)
        read.length = -1
        #expect(table.stat(instance, nil, &read, nil, nil) == COFFER_E_INVALID_ARGUMENT)
    }

    @Test func fieldsPastTheEndOfAStructAreNotRead() throws {
        let (instance, table) = try instanceOf()
        defer { table.close(instance) }
        let strings = RawStrings()
        var read = coffer_read_args()
        read.key = strings("k")
        read.version = coffer_str(ptr: nil, len: 99)
        read.length = -77
        // Up to the key alone: the nonsense behind it does not count.
        read.struct_size = UInt32(MemoryLayout<coffer_read_args>.offset(of: \.version) ?? 0)
        #expect(table.stat(instance, nil, &read, nil, nil) == COFFER_E_NOT_FOUND)
        for size in [0, 4, 7] as [UInt32] {
            read.struct_size = size
            #expect(table.stat(instance, nil, &read, nil, nil) == COFFER_E_INVALID_ARGUMENT)
        }
        var sink = coffer_sink()
        sink.struct_size = 16
        sink.on_entry = { _, _ in 1 }
        #expect(table.health(instance, nil, &sink, nil) == COFFER_OK)
    }

    @Test func resultsAreWrittenAsFarAsTheyReach() throws {
        let table = try rawPlugin(TinyBackend.self).pointee.ops.pointee
        let strings = RawStrings()
        var options = [coffer_kv(key: strings("root"), value: strings("/"))]
        var result = coffer_open_result()
        result.max_object = 99
        result.max_key = 98
        options.withUnsafeMutableBufferPointer { options in
            var arguments = coffer_open_args()
            arguments.struct_size = UInt32(MemoryLayout<coffer_open_args>.size)
            arguments.n_options = 1
            arguments.options = UnsafePointer(options.baseAddress)
            result.struct_size = 16
            #expect(table.open(&arguments, nil, &result, nil) == COFFER_E_INVALID_ARGUMENT)
            result.struct_size = UInt32(MemoryLayout<coffer_open_result>.offset(of: \.preferred_part) ?? 0)
            #expect(table.open(&arguments, nil, &result, nil) == COFFER_OK)
        }
        #expect(result.max_object == 0)
        #expect(result.max_key == 98)
        table.close(result.instance)
    }

    @Test func anErrorIsCutAtACharacterAndAtItsStruct() throws {
        let (instance, table) = try instanceOf()
        defer { table.close(instance) }
        let strings = RawStrings()
        var read = coffer_read_args()
        read.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
        read.key = strings("éé")
        read.length = -1
        var buffer = [CChar](repeating: 1, count: 64)
        let prefix = "no such object: ".utf8.count
        buffer.withUnsafeMutableBufferPointer { buffer in
            var error = coffer_error()
            error.struct_size = UInt32(MemoryLayout<coffer_error>.size)
            error.message = buffer.baseAddress
            error.message_cap = UInt32(prefix + 3)
            #expect(table.stat(instance, nil, &read, nil, &error) == COFFER_E_NOT_FOUND)
            #expect(error.message_len == UInt32(prefix + 2))
            #expect(error.code == COFFER_E_NOT_FOUND)
            error = coffer_error()
            error.struct_size = 8
            error.native = 77
            #expect(table.stat(instance, nil, &read, nil, &error) == COFFER_E_NOT_FOUND)
            #expect(error.code == COFFER_E_NOT_FOUND && error.native == 77)
        }
        #expect(buffer[prefix + 2] == 1)
    }

    @Test func aWriteThatIsOverTakesNothingMore() throws {
        let (instance, table) = try instanceOf()
        defer { table.close(instance) }
        let strings = RawStrings()
        var write = coffer_write_args()
        write.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
        write.key = strings("k")
        write.size = -1
        var stream: OpaquePointer?
        #expect(table.write_begin(instance, nil, &write, &stream, nil) == COFFER_OK)
        #expect(table.write_append(stream, nil, nil, 0, nil) == COFFER_OK)
        #expect(table.write_append(stream, nil, nil, -1, nil) == COFFER_E_INVALID_ARGUMENT)
        #expect(table.write_commit(stream, nil, nil, nil, nil) == COFFER_OK)
        #expect(table.write_commit(stream, nil, nil, nil, nil) == COFFER_E_INVALID_ARGUMENT)
        #expect(table.write_append(stream, nil, [1], 1, nil) == COFFER_E_INVALID_ARGUMENT)
        table.write_close(stream)
    }

    @Test func oneBadItemOfABatchFailsAlone() throws {
        let (instance, table) = try instanceOf()
        defer { table.close(instance) }
        let strings = RawStrings()
        let items = ["a", "", "b"].map { key in
            var item = coffer_remove_item()
            item.struct_size = UInt32(MemoryLayout<coffer_remove_item>.size)
            item.key = strings(key)
            return item
        }
        let stride = MemoryLayout<coffer_remove_item>.stride
        let answer = ask { call, sink, error in table.remove_batch(instance, call, items, 3, stride, sink, error) }
        #expect(answer.status == COFFER_OK)
        #expect(
            answer.results.sorted { $0.index < $1.index }.map(\.code) == [COFFER_OK, COFFER_E_INVALID_KEY, COFFER_OK]
        )
    }

    @Test func optionsAreReadAsTheyWereDeclared() throws {
        let options = Options([
            "list": #"["a", "b\n\u00e9\ud83d\ude00"]"#, "map": #"{"k": "v", "": ""}"#, "bad": #"["a",]"#, "n": "12",
            "no": "x",
        ])
        #expect(try options.list("list") == ["a", "b\né😀"])
        #expect(try options.map("map").map { $0.name + "=" + $0.value } == ["k=v", "="])
        #expect(try options.integer("n") == 12)
        #expect(try options.list("absent").isEmpty)
        #expect(throws: BackendError(.config, "option bad is not a list of strings")) { try options.list("bad") }
        #expect(throws: BackendError(.config, "option no is not a number")) { try options.integer("no") }
        #expect(throws: BackendError(.config, "option gone is missing")) { try options.required("gone") }
    }
}
