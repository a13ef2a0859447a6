// The Swift kit, driven through the C table that it makes.

import CCofferPlugin
import CofferPluginSDK
import CofferSystem
import Glibc
import Testing

/// An open instance of the tiny backend, and its table.
private func withTiny<R>(
    _ body: (OpaquePointer, coffer_ops) throws -> R
) throws -> R {
    let table = try rawPlugin(TinyBackend.self).pointee.ops.pointee
    let strings = RawStrings()
    var options = [coffer_kv(key: strings("root"), value: strings("/"))]
    var result = coffer_open_result()
    result.struct_size = UInt32(MemoryLayout<coffer_open_result>.size)
    let answer = options.withUnsafeMutableBufferPointer { options in
        var arguments = coffer_open_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_open_args>.size)
        arguments.name = strings("test")
        arguments.n_options = options.count
        arguments.options = UnsafePointer(options.baseAddress)
        return ask { call, _, error in table.open?(&arguments, call, &result, error) }
    }
    #expect(answer.status == COFFER_OK)
    #expect(result.native | result.unproven == TinyBackend.description.capabilities.rawValue)
    #expect(result.unproven == COFFER_CAP_IF_MATCH)
    let instance = try #require(result.instance)
    defer { table.close(instance) }
    return try body(instance, table)
}

private func readArguments(_ key: coffer_str) -> coffer_read_args {
    var arguments = coffer_read_args()
    arguments.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
    arguments.key = key
    arguments.length = -1
    return arguments
}

private func put(_ instance: OpaquePointer, _ table: coffer_ops, _ key: String, _ bytes: [UInt8], size: Int64 = -1)
    -> RawAnswer
{
    let strings = RawStrings()
    var arguments = coffer_write_args()
    arguments.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
    arguments.key = strings(key)
    arguments.size = size
    var stream: OpaquePointer?
    let begun = ask { call, _, error in table.write_begin?(instance, call, &arguments, &stream, error) }
    guard begun.status == COFFER_OK else { return begun }
    defer { table.write_close(stream) }
    let appended = ask { call, _, error in table.write_append?(stream, call, bytes, bytes.count, error) }
    let committed = ask { call, sink, error in table.write_commit?(stream, call, nil, sink, error) }
    return appended.status == COFFER_OK ? committed : appended
}

@Suite("The Swift kit")
struct SwiftKitTests {
    @Test func theEntryGivesTheSameAnswerEachTimeOnAnyThread() throws {
        let first = try rawPlugin(TinyBackend.self)
        let answers = Locked<[UInt]>([])
        withThreads(4) {
            for _ in 0..<100 {
                guard let plugin = try? rawPlugin(TinyBackend.self) else { return }
                answers.withLock { $0.append(UInt(bitPattern: plugin)) }
            }
        }
        #expect(answers.withLock { $0 } == [UInt](repeating: UInt(bitPattern: first), count: 400))
    }

    @Test func theDescriptorSaysWhatTheTypeSays() throws {
        let plugin = try rawPlugin(TinyBackend.self).pointee
        #expect(plugin.magic == COFFER_MAGIC)
        #expect(plugin.abi == COFFER_ABI_CURRENT)
        #expect(String(cString: plugin.id) == "tiny")
        #expect(String(cString: plugin.license) == "0BSD")
        #expect(plugin.option_size == UInt32(MemoryLayout<coffer_option>.stride))
        #expect(plugin.n_options == 3)
        #expect(plugin.options[0].flags == COFFER_OPTF_REQUIRED)
        #expect(plugin.options[0].default_value == nil)
        #expect(plugin.options[1].type == COFFER_OPT_ENUM)
        #expect(String(cString: plugin.options[1].choices) == "a|b")
        #expect(plugin.options[2].max == 100)
    }

    @Test func onlyWhatIsClaimedStandsInTheTable() throws {
        let table = try rawPlugin(TinyBackend.self).pointee.ops.pointee
        #expect(table.stat != nil && table.read_open != nil && table.write_begin != nil && table.list_open != nil)
        #expect(table.copy == nil && table.move == nil && table.presign == nil && table.usage == nil)
        #expect(table.write_ingest == nil && table.container_list == nil)
    }

    @Test func aHostOfAnotherMajorVersionIsRefused() {
        var host = makeRawHost()
        host.abi = 2 << 16
        let answer = ask { _, _, error in
            exportBackend(TinyBackend.self, &host, error) == nil ? error.pointee.code : COFFER_OK
        }
        #expect(answer.status == COFFER_E_UNSUPPORTED)
        #expect(answer.message.contains("major version"))
    }

    @Test func anObjectGoesInAndComesOut() throws {
        try withTiny { instance, table in
            #expect(put(instance, table, "k", [1, 2, 3]).entries == [RawEntry(key: "k", size: 3, etag: "")])
            let strings = RawStrings()
            var arguments = readArguments(strings("k"))
            let stat = ask { call, sink, error in table.stat?(instance, call, &arguments, sink, error) }
            let entry = try #require(stat.entries.first)
            #expect(
                entry
                    == RawEntry(
                        key: "k",
                        size: 3,
                        etag: "tag",
                        properties: ["content-type": "text/plain", "x": ""],
                        metadata: ["a": "é"],
                        checksums: ["crc32c:00ff:1"]
                    )
            )
            var result = coffer_read_result()
            result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
            let opened = ask { call, sink, error in table.read_open?(instance, call, &arguments, &result, sink, error) }
            #expect(opened.entries.count == 1)
            #expect(result.length == 3 && result.fd == -1)
            var bytes = [UInt8](repeating: 0, count: 8)
            var got = 0
            _ = ask { call, _, error in table.read?(result.stream, call, &bytes, 8, &got, error) }
            #expect(Array(bytes.prefix(got)) == [1, 2, 3])
            let ended = ask { call, _, error in table.read?(result.stream, call, &bytes, 8, &got, error) }
            #expect(ended.status == COFFER_OK && got == 0)
            table.read_close(result.stream)
        }
    }

    @Test func aBodyOfAnotherLengthIsNotPublished() throws {
        try withTiny { instance, table in
            #expect(put(instance, table, "k", [1, 2, 3], size: 4).status == COFFER_E_INVALID_ARGUMENT)
            #expect(put(instance, table, "k", [1, 2, 3], size: 2).status == COFFER_E_INVALID_ARGUMENT)
            var arguments = readArguments(RawStrings()("k"))
            let strings = RawStrings()
            arguments.key = strings("k")
            let stat = ask { call, sink, error in table.stat?(instance, call, &arguments, sink, error) }
            #expect(stat.status == COFFER_E_NOT_FOUND)
            #expect(stat.message == "no such object: k")
        }
    }

    @Test func fewerBytesThanPromisedAreCorrupt() throws {
        try withTiny { instance, table in
            _ = put(instance, table, "short", [1, 2, 3])
            let strings = RawStrings()
            var arguments = readArguments(strings("short"))
            var result = coffer_read_result()
            result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
            _ = ask { call, sink, error in table.read_open?(instance, call, &arguments, &result, sink, error) }
            var bytes = [UInt8](repeating: 0, count: 8)
            var got = 0
            _ = ask { call, _, error in table.read?(result.stream, call, &bytes, 8, &got, error) }
            #expect(got == 2)
            let cut = ask { call, _, error in table.read?(result.stream, call, &bytes, 8, &got, error) }
            #expect(cut.status == COFFER_E_CORRUPT)
            table.read_close(result.stream)
        }
    }

    @Test func whatIsNotClaimedNeverReachesTheBackend() throws {
        try withTiny { instance, table in
            let strings = RawStrings()
            for change in [
                { (a: inout coffer_read_args) in a.if_match = strings("*") },
                { $0.if_none_match = strings("x") }, { $0.version = strings("1") }, { $0.flags = 1 << 20 },
            ] {
                var arguments = readArguments(strings("k"))
                change(&arguments)
                let stat = ask { call, sink, error in table.stat?(instance, call, &arguments, sink, error) }
                #expect(stat.status == COFFER_E_UNSUPPORTED)
            }
            var read = readArguments(strings("k"))
            read.offset = 1
            var result = coffer_read_result()
            result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
            let opened = ask { call, sink, error in table.read_open?(instance, call, &read, &result, sink, error) }
            #expect(opened.status == COFFER_E_UNSUPPORTED)
            for name in ["cache-control", "mtime"] {
                var pairs = [coffer_kv(key: strings(name), value: strings("1"))]
                var write = coffer_write_args()
                write.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
                write.key = strings("k")
                write.size = -1
                var stream: OpaquePointer?
                let begun = pairs.withUnsafeMutableBufferPointer { pairs in
                    write.n_props = 1
                    write.props = UnsafePointer(pairs.baseAddress)
                    return ask { call, _, error in table.write_begin?(instance, call, &write, &stream, error) }
                }
                #expect(begun.status == COFFER_E_UNSUPPORTED)
                #expect(stream == nil)
            }
            var list = coffer_list_args()
            list.struct_size = UInt32(MemoryLayout<coffer_list_args>.size)
            list.delimiter = strings("/")
            var listing: OpaquePointer?
            let listed = ask { call, _, error in table.list_open?(instance, call, &list, &listing, error) }
            #expect(listed.status == COFFER_E_UNSUPPORTED)
        }
    }

    @Test func anUnprovenConditionIsSentOnlyToBeProven() throws {
        try withTiny { instance, table in
            let strings = RawStrings()
            var write = coffer_write_args()
            write.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
            write.key = strings("k")
            write.if_match = strings("tag")
            write.size = -1
            var call = coffer_call()
            call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
            var stream: OpaquePointer?
            let refused = ask { _, _, error in table.write_begin?(instance, &call, &write, &stream, error) }
            #expect(refused.status == COFFER_E_UNSUPPORTED && stream == nil)
            call.flags = COFFER_CALL_UNPROVEN
            let sent = ask { _, _, error in table.write_begin?(instance, &call, &write, &stream, error) }
            #expect(sent.status == COFFER_OK)
            table.write_close(stream)
            // What is none stays so, whatever a call says.
            write.if_match = coffer_str()
            write.if_none_match = strings("*")
            let none = ask { _, _, error in table.write_begin?(instance, &call, &write, &stream, error) }
            #expect(none.status == COFFER_E_UNSUPPORTED)
        }
    }

    @Test func theHostIsHeardAndAsked() throws {
        try withTiny { instance, table in
            let answer = ask { call, sink, error in table.health?(instance, call, sink, error) }
            #expect(answer.status == COFFER_OK)
            #expect(answer.values.map(\.value) == ["live", ""])
            #expect(rawNotes.withLock { $0.lines.contains("3 asked for health") })
            #expect(rawNotes.withLock { $0.metrics.contains("2 health 1.0 who=tiny") })
        }
    }

    @Test func aLateCallEndsBeforeItBegins() throws {
        try withTiny { instance, table in
            var call = coffer_call()
            call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
            call.deadline_ns = 1
            let strings = RawStrings()
            var arguments = readArguments(strings("k"))
            let late = ask { _, sink, error in table.stat?(instance, &call, &arguments, sink, error) }
            #expect(late.status == COFFER_E_TIMEOUT)
            // A deadline past the end of the struct is none.
            call.struct_size = 8
            let none = ask { _, sink, error in table.stat?(instance, &call, &arguments, sink, error) }
            #expect(none.status == COFFER_E_NOT_FOUND)
        }
    }

    @Test func aWrongOptionIsNamed() throws {
        let table = try rawPlugin(TinyBackend.self).pointee.ops.pointee
        let strings = RawStrings()
        var options = [coffer_kv(key: strings("root"), value: strings("nowhere"))]
        var result = coffer_open_result()
        result.struct_size = UInt32(MemoryLayout<coffer_open_result>.size)
        let answer = options.withUnsafeMutableBufferPointer { options in
            var arguments = coffer_open_args()
            arguments.struct_size = UInt32(MemoryLayout<coffer_open_args>.size)
            arguments.n_options = 1
            arguments.options = UnsafePointer(options.baseAddress)
            return ask { call, _, error in table.open?(&arguments, call, &result, error) }
        }
        #expect(answer.status == COFFER_E_CONFIG)
        #expect(answer.message == "option root is nowhere")
        #expect(result.instance == nil)
    }
}
