import CCofferPlugin

// Uploads in parts: the extension coffer.upload/1.

/// A part as completing an upload names it.
struct Part: Sendable, Hashable {
    var number: UInt32
    var etag: Name
    var size: Int64 = -1
}

extension Subject {
    /// The table of `coffer.upload/1`, copied up to its own size.
    var uploads: coffer_upload? {
        guard let found = plugin.pointee.get_extension?(COFFER_EXT_UPLOAD) else { return nil }
        let size = Int(found.loadUnaligned(as: UInt32.self))
        var table = coffer_upload()
        withUnsafeMutableBytes(of: &table) {
            $0.copyMemory(
                from: UnsafeRawBufferPointer(start: found, count: min(size, MemoryLayout<coffer_upload>.size))
            )
        }
        return table
    }

    /// What the parts of an upload have at least, so that the store takes them.
    var partSize: Int { Int(max(result.min_part, 64 << 10)) }

    /// Begins an upload and answers its id.
    func beginUpload(_ key: Name, _ options: WriteOptions = WriteOptions()) throws -> Name {
        let arena = Arena()
        let place = arena.place(writeArguments(key, options, arena))
        let collector = Collector()
        trial.willWrite(key)
        try perform("upload create \(key)") { call, error in
            collector.withSink { uploads?.create?(instance, call, place, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
        let ids = collector.values(COFFER_VAL_NEXT)
        guard ids.count == 1, let id = ids.first, !id.isEmpty else {
            throw Mismatch(expected: "one id from upload create", got: "\(ids.count)", line: #line)
        }
        return id
    }

    /// Begins a part; what commits it answers the part's tag.
    func beginPart(_ id: Name, _ number: UInt32, size: Int64 = -1) throws -> Writer {
        let arena = Arena()
        let name = arena.string(id)
        var stream: OpaquePointer?
        try perform("upload part \(number)") { call, error in
            uploads?.part?(instance, call, name, number, size, &stream, error) ?? COFFER_E_UNSUPPORTED
        }
        guard let stream else { throw Mismatch(expected: "a stream from upload part", got: "NULL", line: #line) }
        return Writer(self, "of part \(number)", stream)
    }

    /// Sends a part in one piece.
    func sendPart(_ id: Name, _ number: UInt32, _ bytes: [UInt8], isSized: Bool = true) throws -> Part {
        let writer = try beginPart(id, number, size: isSized ? Int64(bytes.count) : -1)
        defer { writer.close() }
        try writer.append(bytes)
        return try part(number, writer, bytes.count)
    }

    /// Commits a part that has been sent.
    func part(_ number: UInt32, _ writer: Writer, _ size: Int) throws -> Part {
        let entry = try writer.commit()
        try expect(!entry.etag.isEmpty, "a tag of part \(number)", got: "none")
        return Part(number: number, etag: entry.etag, size: Int64(size))
    }

    func complete(_ id: Name, _ key: Name, _ parts: [Part], _ options: WriteOptions = WriteOptions()) throws -> Entry {
        let arena = Arena()
        let place = arena.place(writeArguments(key, options, arena))
        let items = arena.array(
            parts.map { part in
                var item = coffer_upload_part()
                item.struct_size = UInt32(MemoryLayout<coffer_upload_part>.size)
                item.number = part.number
                item.etag = arena.string(part.etag)
                item.size = part.size
                return item
            }
        )
        let stride = MemoryLayout<coffer_upload_part>.stride
        let collector = Collector()
        let numbers = parts.prefix(8).map { String($0.number) }.joined(separator: ",")
        try perform("upload complete \(key) of parts \(numbers)") { call, error in
            collector.withSink {
                uploads?.complete?(instance, call, name(id, arena), place, items, parts.count, stride, $0, error)
                    ?? COFFER_E_UNSUPPORTED
            }
        }
        return try single(collector, "upload complete")
    }

    private func name(_ id: Name, _ arena: Arena) -> coffer_str { arena.string(id) }

    func abortUpload(_ id: Name) throws {
        let arena = Arena()
        let name = arena.string(id)
        try perform("upload abort") { call, error in
            uploads?.abort?(instance, call, name, error) ?? COFFER_E_UNSUPPORTED
        }
    }

    /// The parts of an upload by number, as the store has them.
    func listParts(_ id: Name) throws -> [Part] {
        let arena = Arena()
        let name = arena.string(id)
        let collector = Collector()
        try perform("upload list_parts") { call, error in
            collector.withSink { uploads?.list_parts?(instance, call, name, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
        return try collector.entries.map { entry in
            guard let number = UInt32(String(decoding: entry.key.bytes, as: UTF8.self)) else {
                throw Mismatch(expected: "a number as the key of a part", got: "\(entry.key)", line: #line)
            }
            return Part(number: number, etag: entry.etag, size: entry.size)
        }
    }

    /// The ids of pending uploads, with their keys.
    func listUploads(_ prefix: Name, before: Int64 = .max) throws -> [(key: Name, id: Name)] {
        let arena = Arena()
        let name = arena.string(prefix)
        let collector = Collector()
        try perform("upload list_uploads \(prefix)") { call, error in
            collector.withSink {
                uploads?.list_uploads?(instance, call, name, before, $0, error) ?? COFFER_E_UNSUPPORTED
            }
        }
        return collector.entries.map { ($0.key, $0.version) }
    }

    /// An object written in parts.
    @discardableResult
    func putInParts(_ key: Name, _ bodies: [[UInt8]], _ options: WriteOptions = WriteOptions()) throws -> Entry {
        let id = try beginUpload(key, options)
        do {
            let parts = try bodies.enumerated().map { try sendPart(id, UInt32($0 + 1), $1) }
            return try complete(id, key, parts, options)
        } catch {
            // What failed is told; what it leaves behind is dropped where that can be.
            _ = code { try abortUpload(id) }
            throw error
        }
    }
}
