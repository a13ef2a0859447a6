// Drives the local backend through its C table, the way a host does.

import CCofferPlugin
import Glibc
import Testing

/// What the plugin answered instead of a result.
struct PluginFailure: Error, CustomStringConvertible {
    let code: Int32
    let message: String
    var description: String { "\(code): \(message)" }
}

/// What the plugin said of an object.
struct StoredObject: Equatable {
    var key = ""
    var isPrefix = false
    var size: Int64 = -1
    var modified: Int64 = 0
    var etag = ""
    var properties: [String: String] = [:]
    var metadata: [String: String] = [:]
    var checksums: [String: String] = [:]
}

/// What goes with a write.
struct WriteOptions {
    var ifMatch = ""
    var ifNoneMatch = ""
    var attempt = "attempt-1"
    var size: Int64 = -1
    var properties: [String: String] = [:]
    var metadata: [String: String] = [:]
    var digests: [String: String] = [:]
}

/// The plugin's library, loaded once.
enum LocalLibrary {
    // Written once, before anybody reads it.
    nonisolated(unsafe) private static let host: UnsafeMutablePointer<coffer_host> = {
        let host = UnsafeMutablePointer<coffer_host>.allocate(capacity: 1)
        host.initialize(to: coffer_host())
        host.pointee.struct_size = UInt32(MemoryLayout<coffer_host>.size)
        host.pointee.abi = COFFER_ABI_CURRENT
        return host
    }()

    /// The plugin's table, which lives as long as the process.
    static let operations: coffer_ops? = {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let executable = String(decoding: path[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = executable.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/"
        )
        guard let library = dlopen("\(folder)/libcoffer-local.so", RTLD_NOW | RTLD_LOCAL),
            let symbol = dlsym(library, "coffer_backend_entry_v1")
        else { return nil }
        let entry = unsafeBitCast(symbol, to: coffer_entry_fn.self)
        return entry(host, nil)?.pointee.ops?.pointee
    }()
}

/// One open instance.
final class LocalInstance: @unchecked Sendable {  // The plugin is declared parallel.
    let operations: coffer_ops
    let instance: OpaquePointer
    let native: UInt64
    private let isBorrowed: Bool

    convenience init(_ root: String, _ options: [String: String] = [:]) throws {
        var all = options
        all["root"] = root
        try self.init(LocalLibrary.operations, options: all)
    }

    /// An instance of any backend; its library is `table`, or did not load.
    init(_ table: coffer_ops?, options all: [String: String]) throws {
        operations = try #require(table, "the plugin does not load")
        var result = coffer_open_result()
        result.struct_size = UInt32(MemoryLayout<coffer_open_result>.size)
        let strings = Strings()
        let pairs = strings.pairs(all)
        var arguments = coffer_open_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_open_args>.size)
        arguments.name = strings.text("test")
        arguments.n_options = pairs.count
        arguments.options = UnsafePointer(pairs.baseAddress)
        let open = operations.open
        try Self.check { error, call in open?(&arguments, call, &result, error) ?? COFFER_E_UNSUPPORTED }
        instance = try #require(result.instance)
        native = result.native
        isBorrowed = false
        _ = strings
    }

    /// An instance that somebody else closes.
    init(borrowing instance: OpaquePointer, _ table: coffer_ops) {
        operations = table
        self.instance = instance
        native = 0
        isBorrowed = true
    }

    deinit { if !isBorrowed { operations.close?(instance) } }

    static func check(
        _ body: (UnsafeMutablePointer<coffer_error>, UnsafePointer<coffer_call>) -> coffer_status
    ) throws {
        var text = [CChar](repeating: 0, count: 512)
        var call = coffer_call()
        call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
        var error = coffer_error()
        error.struct_size = UInt32(MemoryLayout<coffer_error>.size)
        error.message_cap = 512
        let status = text.withUnsafeMutableBufferPointer { buffer in
            error.message = buffer.baseAddress
            return body(&error, &call)
        }
        guard status != COFFER_OK else { return }
        let message = text.prefix(Int(error.message_len)).map { UInt8(bitPattern: $0) }
        throw PluginFailure(code: status, message: String(decoding: message, as: UTF8.self))
    }
}

/// Strings for one call, freed after it.
final class Strings {
    private var kept: [UnsafeMutableRawBufferPointer] = []

    deinit { for memory in kept { memory.deallocate() } }

    func text(_ string: String) -> coffer_str { bytes(Array(string.utf8)) }

    func bytes(_ bytes: [UInt8]) -> coffer_str {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
        memory.copyBytes(from: bytes + [0])
        kept.append(memory)
        return coffer_str(ptr: memory.baseAddress?.assumingMemoryBound(to: CChar.self), len: bytes.count)
    }

    func pairs(_ values: [String: String]) -> UnsafeMutableBufferPointer<coffer_kv> {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, values.count) * MemoryLayout<coffer_kv>.stride,
            alignment: 8
        )
        kept.append(memory)
        let pairs = memory.bindMemory(to: coffer_kv.self)
        for (index, value) in values.sorted(by: { $0.key < $1.key }).enumerated() {
            pairs[index] = coffer_kv(key: text(value.key), value: text(value.value))
        }
        return UnsafeMutableBufferPointer(rebasing: pairs[..<values.count])
    }

    func digests(_ values: [String: String]) -> UnsafeMutableBufferPointer<coffer_checksum> {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, values.count) * MemoryLayout<coffer_checksum>.stride,
            alignment: 8
        )
        kept.append(memory)
        let digests = memory.bindMemory(to: coffer_checksum.self)
        for (index, value) in values.enumerated() {
            digests[index] = coffer_checksum(algorithm: text(value.key), value: text(value.value), flags: 0)
        }
        return UnsafeMutableBufferPointer(rebasing: digests[..<values.count])
    }
}

/// Gathers what comes through a sink.
final class Gathered {
    var objects: [StoredObject] = []
    var token = ""

    func sink() -> coffer_sink {
        var sink = coffer_sink()
        sink.struct_size = UInt32(MemoryLayout<coffer_sink>.size)
        sink.ctx = Unmanaged.passUnretained(self).toOpaque()
        sink.on_entry = { context, entry in
            guard let context, let entry = entry?.pointee else { return 1 }
            let gathered = Unmanaged<Gathered>.fromOpaque(context).takeUnretainedValue()
            var object = StoredObject()
            object.key = string(entry.key)
            object.isPrefix = entry.kind == COFFER_KIND_PREFIX
            object.size = entry.size
            object.modified = entry.mtime_ns
            object.etag = string(entry.etag)
            for index in 0..<entry.n_props {
                if let pair = entry.props?[index] { object.properties[string(pair.key)] = string(pair.value) }
            }
            for index in 0..<entry.n_meta {
                if let pair = entry.meta?[index] { object.metadata[string(pair.key)] = string(pair.value) }
            }
            for index in 0..<entry.n_checksums {
                if let sum = entry.checksums?[index] { object.checksums[string(sum.algorithm)] = string(sum.value) }
            }
            gathered.objects.append(object)
            return 0
        }
        sink.on_value = { context, kind, _, value in
            guard let context, kind == COFFER_VAL_NEXT else { return 0 }
            Unmanaged<Gathered>.fromOpaque(context).takeUnretainedValue().token = string(value)
            return 0
        }
        return sink
    }
}

/// The bytes of a C string view, as UTF-8.
func string(_ text: coffer_str) -> String {
    String(decoding: UnsafeRawBufferPointer(start: text.ptr, count: text.len), as: UTF8.self)
}
