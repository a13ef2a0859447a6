import CCofferPlugin

/// One read in progress.
final class Reader {
    let subject: Subject
    let entry: Entry
    let offset: UInt64
    let length: UInt64
    let descriptor: Int32
    let descriptorOffset: UInt64
    private let stream: OpaquePointer?
    private var isClosed = false

    init(_ subject: Subject, _ entry: Entry, _ result: coffer_read_result) {
        self.subject = subject
        self.entry = entry
        offset = result.offset
        length = result.length
        stream = result.stream
        descriptor = result.stream == nil ? result.fd : -1
        descriptorOffset = result.fd_offset
    }

    /// Up to `capacity` bytes; none at the end.
    func read(_ capacity: Int = 64 << 10, cancellation: Cancellation? = nil) throws -> [UInt8] {
        var got = 0
        var buffer = [UInt8](repeating: 0, count: capacity)
        try subject.perform("", cancellation: cancellation) { call, error in
            buffer.withUnsafeMutableBytes {
                subject.ops.read?(stream, call, $0.baseAddress, capacity, &got, error) ?? COFFER_E_UNSUPPORTED
            }
        }
        try expect(got <= capacity, "at most \(capacity) bytes from read", got: "\(got)")
        buffer.removeLast(capacity - got)
        return buffer
    }

    /// All that is left.
    func rest(_ capacity: Int = 64 << 10) throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let more = try read(capacity)
            if more.isEmpty { return all }
            all += more
            try expect(UInt64(all.count) <= length, "no more than the promised \(length) bytes", got: "\(all.count)")
        }
    }

    func close() {
        if isClosed { return }
        isClosed = true
        if let stream { subject.ops.read_close?(stream) }
    }

    deinit { close() }
}

/// One write in progress.
final class Writer {
    let subject: Subject
    let key: Name
    let stream: OpaquePointer
    private var isClosed = false

    init(_ subject: Subject, _ key: Name, _ stream: OpaquePointer) {
        self.subject = subject
        self.key = key
        self.stream = stream
    }

    func append(_ bytes: [UInt8], cancellation: Cancellation? = nil) throws {
        try subject.perform("", cancellation: cancellation) { call, error in
            bytes.withUnsafeBytes {
                subject.ops.write_append?(stream, call, $0.baseAddress, $0.count, error) ?? COFFER_E_UNSUPPORTED
            }
        }
    }

    func commit(_ checksums: [Digest] = [], cancellation: Cancellation? = nil) throws -> Entry {
        let arena = Arena()
        var arguments = coffer_commit_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_commit_args>.size)
        arguments.n_checksums = checksums.count
        arguments.checksums = arena.digests(checksums)
        let place = arena.place(arguments)
        let collector = Collector()
        try subject.perform("commit \(key)", cancellation: cancellation) { call, error in
            collector.withSink {
                subject.ops.write_commit?(stream, call, place, $0, error) ?? COFFER_E_UNSUPPORTED
            }
        }
        return try subject.single(collector, "write_commit")
    }

    func close() {
        if isClosed { return }
        isClosed = true
        subject.ops.write_close?(stream)
    }

    deinit { close() }
}

extension Subject {
    func openRead(_ key: Name, _ options: ReadOptions = ReadOptions(), cancellation: Cancellation? = nil) throws
        -> Reader
    {
        let arena = Arena()
        let arguments = readArguments(key, options, arena)
        let collector = Collector()
        var result = coffer_read_result()
        result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
        result.fd = -1
        var step = "read_open \(key)"
        if options.offset != 0 || options.length != -1 { step += " [\(options.offset), +\(options.length)]" }
        try perform(step, cancellation: cancellation) { call, error in
            collector.withSink { sink in
                withUnsafeMutablePointer(to: &result) {
                    ops.read_open?(instance, call, arguments, $0, sink, error) ?? COFFER_E_UNSUPPORTED
                }
            }
        }
        let entry = try single(collector, "read_open")
        let wantsDescriptor = options.flags & COFFER_READ_WANT_FD != 0
        try expect(
            result.stream != nil || (wantsDescriptor && result.fd >= 0),
            "a stream from read_open, which was not asked for a descriptor",
            got: "no stream, descriptor \(result.fd)"
        )
        return Reader(self, entry, result)
    }

    /// Reads all of an object, or a range of it.
    func get(_ key: Name, _ options: ReadOptions = ReadOptions(), chunk: Int = 64 << 10) throws -> [UInt8] {
        let reader = try openRead(key, options)
        defer { reader.close() }
        let all = try reader.rest(chunk)
        try expectEqual(UInt64(all.count), reader.length, "bytes that follow the promised length")
        return all
    }

    func beginWrite(_ key: Name, _ options: WriteOptions = WriteOptions(), cancellation: Cancellation? = nil) throws
        -> Writer
    {
        let arena = Arena()
        let place = arena.place(writeArguments(key, options, arena))
        var stream: OpaquePointer?
        trial.willWrite(key)
        try perform("write_begin \(key)\(options.note)", cancellation: cancellation) { call, error in
            ops.write_begin?(instance, call, place, &stream, error) ?? COFFER_E_UNSUPPORTED
        }
        guard let stream else { throw Mismatch(expected: "a stream from write_begin", got: "NULL", line: #line) }
        return Writer(self, key, stream)
    }

    func writeArguments(_ key: Name, _ options: WriteOptions, _ arena: Arena) -> coffer_write_args {
        var arguments = coffer_write_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
        arguments.key = arena.string(key)
        arguments.if_match = arena.string(options.ifMatch)
        arguments.if_none_match = arena.string(options.ifNoneMatch)
        arguments.attempt = arena.string(attempt())
        arguments.size = options.size
        arguments.n_props = options.properties.count
        arguments.props = arena.pairs(options.properties)
        arguments.n_meta = options.metadata.count
        arguments.meta = arena.pairs(options.metadata)
        arguments.n_checksums = options.checksums.count
        arguments.checksums = arena.digests(options.checksums)
        return arguments
    }

    /// Writes an object, of a length announced beforehand unless the options say otherwise.
    @discardableResult
    func put(_ key: Name, _ bytes: [UInt8], _ options: WriteOptions? = nil, chunk: Int = 256 << 10) throws -> Entry {
        let writer = try beginWrite(key, options ?? WriteOptions(size: Int64(bytes.count)))
        defer { writer.close() }
        var start = 0
        while start < bytes.count {
            let end = min(start + chunk, bytes.count)
            try writer.append(start == 0 && end == bytes.count ? bytes : Array(bytes[start..<end]))
            start = end
        }
        return try writer.commit(options?.lateChecksums ?? [])
    }

    @discardableResult
    func put(_ key: Name, _ text: String, _ options: WriteOptions? = nil) throws -> Entry {
        try put(key, Array(text.utf8), options)
    }

    func text(_ key: Name) throws -> String { String(decoding: try get(key), as: UTF8.self) }
}

extension WriteOptions {
    /// What the notes of a trial say of it.
    fileprivate var note: String {
        var words: [String] = []
        if size >= 0 { words.append("size \(size)") }
        if !ifMatch.isEmpty { words.append("if_match \(ifMatch)") }
        if !ifNoneMatch.isEmpty { words.append("if_none_match \(ifNoneMatch)") }
        if !properties.isEmpty { words.append("\(properties.count) props") }
        if !metadata.isEmpty { words.append("\(metadata.count) meta") }
        if !checksums.isEmpty { words.append("\(checksums.count) checksums") }
        return words.isEmpty ? "" : " (" + words.joined(separator: ", ") + ")"
    }
}
