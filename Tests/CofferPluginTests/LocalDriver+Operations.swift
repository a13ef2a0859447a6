// The operations of an instance, as a test wants to say them.

import CCofferPlugin
import Glibc
import Testing

extension LocalInstance {
    private func readArguments(_ strings: Strings, _ key: String, _ flags: UInt32 = 0) -> coffer_read_args {
        var arguments = coffer_read_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
        arguments.flags = flags
        arguments.key = strings.text(key)
        arguments.length = -1
        return arguments
    }

    func stat(_ key: String, ifNoneMatch: String = "") throws -> StoredObject {
        let strings = Strings()
        let gathered = Gathered()
        var sink = gathered.sink()
        var arguments = readArguments(strings, key)
        arguments.if_none_match = strings.text(ifNoneMatch)
        try Self.check { operations.stat?(instance, $1, &arguments, &sink, $0) ?? COFFER_E_UNSUPPORTED }
        return try withExtendedLifetime(strings) { try #require(gathered.objects.first) }
    }

    func openRead(_ key: String, descriptor: Bool = false) throws -> coffer_read_result {
        let strings = Strings()
        let gathered = Gathered()
        var sink = gathered.sink()
        var arguments = readArguments(strings, key, descriptor ? COFFER_READ_WANT_FD : 0)
        var result = coffer_read_result()
        result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
        result.fd = -1
        try Self.check {
            operations.read_open?(instance, $1, &arguments, &result, &sink, $0) ?? COFFER_E_UNSUPPORTED
        }
        withExtendedLifetime((strings, gathered)) {}
        return result
    }

    func read(_ stream: OpaquePointer?, upTo count: Int = 65_536) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var got = 0
        try bytes.withUnsafeMutableBytes { buffer in
            try Self.check {
                operations.read?(stream, $1, buffer.baseAddress, buffer.count, &got, $0) ?? COFFER_E_UNSUPPORTED
            }
        }
        return Array(bytes[..<got])
    }

    func get(_ key: String) throws -> [UInt8] {
        let stream = try openRead(key).stream
        defer { operations.read_close?(stream) }
        var all: [UInt8] = []
        while true {
            let bytes = try read(stream)
            if bytes.isEmpty { return all }
            all += bytes
        }
    }

    func beginWrite(_ key: String, _ options: WriteOptions = WriteOptions()) throws -> OpaquePointer {
        try beginWrite(bytes: Array(key.utf8), options)
    }

    func beginWrite(bytes key: [UInt8], _ options: WriteOptions = WriteOptions()) throws -> OpaquePointer {
        let strings = Strings()
        var arguments = coffer_write_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
        arguments.key = strings.bytes(key)
        arguments.if_match = strings.text(options.ifMatch)
        arguments.if_none_match = strings.text(options.ifNoneMatch)
        arguments.attempt = strings.text(options.attempt)
        arguments.size = options.size
        let properties = strings.pairs(options.properties)
        arguments.n_props = properties.count
        arguments.props = UnsafePointer(properties.baseAddress)
        let metadata = strings.pairs(options.metadata)
        arguments.n_meta = metadata.count
        arguments.meta = UnsafePointer(metadata.baseAddress)
        var stream: OpaquePointer?
        try Self.check {
            operations.write_begin?(instance, $1, &arguments, &stream, $0) ?? COFFER_E_UNSUPPORTED
        }
        return try withExtendedLifetime(strings) { try #require(stream) }
    }

    func append(_ stream: OpaquePointer, _ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            try Self.check {
                operations.write_append?(stream, $1, buffer.baseAddress, buffer.count, $0) ?? COFFER_E_UNSUPPORTED
            }
        }
    }

    func ingest(_ stream: OpaquePointer, _ descriptor: Int32, length: UInt64) throws -> UInt64 {
        var done: UInt64 = 0
        try Self.check {
            operations.write_ingest?(stream, $1, descriptor, 0, length, &done, $0) ?? COFFER_E_UNSUPPORTED
        }
        return done
    }

    func commit(_ stream: OpaquePointer, digests: [String: String] = [:]) throws -> StoredObject {
        let strings = Strings()
        let gathered = Gathered()
        var sink = gathered.sink()
        let sums = strings.digests(digests)
        var arguments = coffer_commit_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_commit_args>.size)
        arguments.n_checksums = sums.count
        arguments.checksums = UnsafePointer(sums.baseAddress)
        try Self.check { operations.write_commit?(stream, $1, &arguments, &sink, $0) ?? COFFER_E_UNSUPPORTED }
        return try withExtendedLifetime(strings) { try #require(gathered.objects.first) }
    }

    func closeWrite(_ stream: OpaquePointer) { operations.write_close?(stream) }

    @discardableResult
    func put(_ key: String, _ bytes: [UInt8], _ options: WriteOptions = WriteOptions()) throws -> StoredObject {
        let stream = try beginWrite(key, options)
        defer { closeWrite(stream) }
        try append(stream, bytes)
        return try commit(stream, digests: options.digests)
    }

    @discardableResult
    func put(_ key: String, _ text: String, _ options: WriteOptions = WriteOptions()) throws -> StoredObject {
        try put(key, Array(text.utf8), options)
    }

    func remove(_ key: String, strict: Bool = false, ifMatch: String = "") throws {
        let strings = Strings()
        var arguments = readArguments(strings, key, strict ? COFFER_READ_STRICT : 0)
        arguments.if_match = strings.text(ifMatch)
        try Self.check { operations.remove?(instance, $1, &arguments, $0) ?? COFFER_E_UNSUPPORTED }
        withExtendedLifetime(strings) {}
    }

    func list(
        prefix: String = "",
        delimiter: String = "",
        after: String = "",
        page: UInt64 = 1000,
        wantsMetadata: Bool = false
    ) throws -> [StoredObject] {
        let strings = Strings()
        var arguments = coffer_list_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_list_args>.size)
        arguments.flags = wantsMetadata ? COFFER_LIST_WANT_META : 0
        arguments.prefix = strings.text(prefix)
        arguments.delimiter = strings.text(delimiter)
        arguments.start_after = strings.text(after)
        var stream: OpaquePointer?
        try Self.check {
            operations.list_open?(instance, $1, &arguments, &stream, $0) ?? COFFER_E_UNSUPPORTED
        }
        defer { operations.list_close?(stream) }
        let gathered = Gathered()
        var sink = gathered.sink()
        var done: UInt32 = 0
        while done == 0 {
            try Self.check { operations.list_next?(stream, $1, page, &done, &sink, $0) ?? COFFER_E_UNSUPPORTED }
        }
        withExtendedLifetime(strings) {}
        return gathered.objects
    }

    func keys(prefix: String = "", delimiter: String = "", after: String = "", page: UInt64 = 1000) throws -> [String] {
        try list(prefix: prefix, delimiter: delimiter, after: after, page: page).map(\.key)
    }

    func copy(
        _ from: String,
        _ to: String,
        moving: Bool = false,
        metadata: [String: String]? = nil,
        ifNoneMatch: String = ""
    ) throws -> StoredObject {
        let strings = Strings()
        var arguments = coffer_copy_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_copy_args>.size)
        arguments.from = strings.text(from)
        arguments.to = strings.text(to)
        arguments.if_none_match = strings.text(ifNoneMatch)
        arguments.attempt = strings.text("copy")
        let pairs = strings.pairs(metadata ?? [:])
        arguments.meta_mode = metadata == nil ? COFFER_META_KEEP : COFFER_META_REPLACE
        arguments.n_meta = pairs.count
        arguments.meta = UnsafePointer(pairs.baseAddress)
        let gathered = Gathered()
        var sink = gathered.sink()
        let function = moving ? operations.move : operations.copy
        try Self.check { function?(instance, $1, &arguments, &sink, $0) ?? COFFER_E_UNSUPPORTED }
        return try withExtendedLifetime(strings) { try #require(gathered.objects.first) }
    }
}

/// The code that `body` fails with; nil if it does not fail.
func code(_ body: () throws -> Void) -> Int32? {
    do {
        try body()
        return nil
    } catch let failure as PluginFailure {
        return failure.code
    } catch {
        return -1
    }
}

/// Runs `body` on `count` threads of their own, with the number of each, and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Work {
        let number: Int
        let body: @Sendable (Int) -> Void
        init(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) {
            self.number = number
            self.body = body
        }
    }
    var threads: [pthread_t] = []
    for number in 0..<count {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work(number, body))
        let result = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                work.body(work.number)
                return nil
            },
            work.toOpaque()
        )
        if result == 0 { threads.append(thread) } else { work.release() }
    }
    for thread in threads { pthread_join(thread, nil) }
}
