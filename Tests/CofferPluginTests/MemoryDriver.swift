// Opens the backends that keep objects in memory, through the loader and then through their C tables.

import CCofferPlugin
import CofferLoader
import Glibc
import Testing

/// The plugins in memory, loaded as a host loads them.
enum MemoryPlugins {
    /// The library of a plugin that was built beside these tests.
    static func library(_ id: String) throws -> PluginLibrary {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let executable = String(decoding: path[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = executable.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/"
        )
        return try PluginLibrary.load("\(folder)/libcoffer-\(id).so")
    }

    static func memory(_ options: [String: String] = [:]) throws -> LocalInstance {
        try LocalInstance(try library("memory").operations, options: options)
    }

    /// An instance of `fault` with these rules.
    static func fault(_ plan: [String] = [], _ options: [String: String] = [:]) throws -> LocalInstance {
        var all = options
        all["plan"] = "[" + plan.map { "\"\($0)\"" }.joined(separator: ",") + "]"
        return try LocalInstance(try library("fault").operations, options: all)
    }
}

extension LocalInstance {
    /// What `usage` says, by name.
    func usage() throws -> [String: String] {
        final class Facts { var values: [String: String] = [:] }
        let facts = Facts()
        var sink = coffer_sink()
        sink.struct_size = UInt32(MemoryLayout<coffer_sink>.size)
        sink.ctx = Unmanaged.passUnretained(facts).toOpaque()
        sink.on_value = { context, _, name, value in
            guard let context else { return 1 }
            Unmanaged<Facts>.fromOpaque(context).takeUnretainedValue().values[string(name)] = string(value)
            return 0
        }
        try Self.check { operations.usage?(instance, $1, &sink, $0) ?? COFFER_E_UNSUPPORTED }
        return withExtendedLifetime(facts) { facts.values }
    }

    /// Begins a write whose digests are known beforehand.
    func beginWrite(_ key: String, digests: [String: String]) throws -> OpaquePointer {
        let strings = Strings()
        var arguments = coffer_write_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
        arguments.key = strings.text(key)
        arguments.size = -1
        let sums = strings.digests(digests)
        arguments.n_checksums = sums.count
        arguments.checksums = UnsafePointer(sums.baseAddress)
        var stream: OpaquePointer?
        try Self.check {
            operations.write_begin?(instance, $1, &arguments, &stream, $0) ?? COFFER_E_UNSUPPORTED
        }
        return try withExtendedLifetime(strings) { try #require(stream) }
    }

    /// The bytes of a part: an offset and a length, or with `suffix` the last bytes.
    func get(_ key: String, offset: UInt64, length: Int64, suffix: Bool = false) throws -> [UInt8] {
        let strings = Strings()
        var arguments = coffer_read_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
        arguments.flags = suffix ? COFFER_READ_SUFFIX : 0
        arguments.key = strings.text(key)
        arguments.offset = offset
        arguments.length = length
        var result = coffer_read_result()
        result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
        try Self.check {
            operations.read_open?(instance, $1, &arguments, &result, nil, $0) ?? COFFER_E_UNSUPPORTED
        }
        withExtendedLifetime(strings) {}
        defer { operations.read_close?(result.stream) }
        var all: [UInt8] = []
        while true {
            let bytes = try read(result.stream, upTo: 7)
            if bytes.isEmpty { break }
            all += bytes
        }
        #expect(UInt64(all.count) == result.length)
        return all
    }
}
