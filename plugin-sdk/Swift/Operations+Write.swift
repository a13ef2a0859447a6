// The operations that change the store: writing, removing, copying, containers.

import CCofferPlugin
import Glibc

extension Operation {
    static func writeBegin(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_write_args>?,
        _ r: UnsafeMutablePointer<OpaquePointer?>?,
        _ e: ErrorPointer
    ) -> coffer_status {
        r?.pointee = nil
        return onInstance(i, c, e) { box, call throws(BackendError) in
            guard let r else { throw nonsense("a result is missing") }
            let request = try box.writeRequest(a, call)
            try box.require(.write, "write")
            let stream = try box.backend.beginWrite(request, call: call)
            r.pointee = handle(WriteBox(stream, host: box.host, left: request.size))
        }
    }

    static func writeAppend(
        _ stream: OpaquePointer?,
        _ c: CallPointer,
        _ bytes: UnsafeRawPointer?,
        _ count: Int,
        _ e: ErrorPointer
    ) -> coffer_status {
        with(stream, as: WriteBox.self, e) { box throws(BackendError) in
            guard count >= 0, bytes != nil || count == 0 else { throw nonsense("an append needs bytes") }
            guard count > 0 else { return }
            try box.step(c) { call throws(BackendError) in
                try box.take(UInt64(count))
                try box.stream.append(UnsafeRawBufferPointer(start: bytes, count: count).bytes, call: call)
            }
        }
    }

    static func writeIngest(
        _ stream: OpaquePointer?,
        _ c: CallPointer,
        _ descriptor: Int32,
        _ offset: Int64,
        _ length: UInt64,
        _ done: UnsafeMutablePointer<UInt64>?,
        _ e: ErrorPointer
    ) -> coffer_status {
        done?.pointee = 0
        return with(stream, as: WriteBox.self, e) { box throws(BackendError) in
            guard let done, descriptor >= 0, offset >= -1 else { throw nonsense("an ingest needs a descriptor") }
            let call = Call(host: box.host, c)
            guard !box.isSpent else { throw nonsense("the write is over") }
            if let left = box.left, length > left { throw box.tooLong() }
            do throws(BackendError) {
                try call.check()
                let taken = try box.stream.ingest(
                    descriptor: descriptor,
                    offset: offset < 0 ? nil : UInt64(offset),
                    length: length,
                    call: call
                )
                try box.take(taken)
                done.pointee = taken
            } catch {
                // Nothing was taken where it is unsupported: the host may still append.
                box.isSpent = error.code != .unsupported
                throw error
            }
        }
    }

    static func writeCommit(
        _ stream: OpaquePointer?,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_commit_args>?,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        with(stream, as: WriteBox.self, e) { box throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            let arguments = a == nil ? coffer_commit_args() : try readStruct(a, over: coffer_commit_args())
            let checksums = Checksums(packed: try PackedPairs(arguments.checksums, count: arguments.n_checksums))
            var entry: Entry?
            try box.step(c) { call throws(BackendError) in
                if let left = box.left, left > 0 {
                    throw BackendError(.invalidArgument, "the body is \(left) bytes shorter than announced")
                }
                entry = try box.stream.commit(checksums: checksums, call: call)
                box.isSpent = true
            }
            // The object is published: that the host looks no further cannot undo it.
            if let entry { try? sink.send(entry) }
        }
    }

    static func remove(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_read_args>?,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let arguments = try readStruct(a, over: coffer_read_args.none)
            guard arguments.length >= -1 else { throw nonsense("a length is negative") }
            guard arguments.flags & ~COFFER_READ_STRICT == 0, arguments.if_none_match.len == 0 else {
                throw .unsupported("a flag or a condition of a remove")
            }
            var request = try box.removeRequest(arguments.key, arguments.version, arguments.if_match, call)
            request.isStrict = arguments.flags & COFFER_READ_STRICT != 0
            try box.require(.remove, "remove")
            try box.backend.remove(request, call: call)
        }
    }

    static func removeBatch(
        _ i: Instance,
        _ c: CallPointer,
        _ items: UnsafePointer<coffer_remove_item>?,
        _ count: Int,
        _ stride: Int,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = try coffer_sink.read(s)
            try box.require(.removeBatch, "remove_batch")
            guard count != 0 else { return }
            guard let items, count > 0, count <= 1 << 20, stride >= 24, stride % 8 == 0 else {
                throw nonsense("a batch has no items or too many")
            }
            var requests: [RemoveRequest] = []
            var positions: [Int] = []
            let single = BatchResults(sink, positions: [])
            for index in 0..<count {
                do throws(BackendError) {
                    let item: coffer_remove_item = try item(items, index, stride: stride, least: 24)
                    requests.append(try box.removeRequest(item.key, item.version, item.if_match, call))
                    positions.append(index)
                } catch {
                    // One bad item fails alone; only a sink that wants no more ends the batch.
                    try single.report(position: index, error)
                }
            }
            guard !requests.isEmpty else { return }
            try box.backend.removeBatch(requests, results: BatchResults(sink, positions: positions), call: call)
        }
    }

    static func copy(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_copy_args>?,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            let request = try box.copyRequest(a, call)
            if request.from != request.to { try box.require(.copy, "copy") }
            let entry = try box.backend.copy(request, call: call)
            // The target is there: that the host looks no further cannot undo it.
            try? sink.send(entry)
        }
    }

    static func move(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_copy_args>?,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            let request = try box.copyRequest(a, call)
            try box.require(.move, "move")
            let entry = try box.backend.move(request, call: call)
            // The target is there: that the host looks no further cannot undo it.
            try? sink.send(entry)
        }
    }

    static func containerList(_ i: Instance, _ c: CallPointer, _ s: SinkPointer, _ e: ErrorPointer) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            try box.require(.containers, "container_list")
            try box.backend.listContainers(into: sink, call: call)
        }
    }

    static func containerMake(
        _ i: Instance,
        _ c: CallPointer,
        _ name: coffer_str,
        _ options: UnsafePointer<coffer_kv>?,
        _ count: Int,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let name = try ByteString(key: name)
            let options = Properties(packed: try PackedPairs(options, count: count))
            try box.require(.containers, "container_make")
            try box.backend.makeContainer(name, options: options, call: call)
        }
    }

    static func containerRemove(_ i: Instance, _ c: CallPointer, _ name: coffer_str, _ e: ErrorPointer)
        -> coffer_status
    {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let name = try ByteString(key: name)
            try box.require(.containers, "container_remove")
            try box.backend.removeContainer(name, call: call)
        }
    }
}

extension WriteBox {
    /// One step of a write that is not over; whatever it throws ends the write.
    func step(
        _ pointer: UnsafePointer<coffer_call>?,
        _ body: (Call) throws(BackendError) -> Void
    ) throws(BackendError) {
        guard !isSpent else { throw nonsense("the write is over") }
        let call = Call(host: host, pointer)
        do throws(BackendError) {
            try call.check()
            try body(call)
        } catch {
            isSpent = true
            throw error
        }
    }

    /// Counts bytes against the announced size.
    func take(_ count: UInt64) throws(BackendError) {
        guard let left else { return }
        guard count <= left else { throw tooLong() }
        self.left = left - count
    }

    func tooLong() -> BackendError { BackendError(.invalidArgument, "the body is longer than announced") }
}

extension InstanceBox {
    func writeRequest(
        _ pointer: UnsafePointer<coffer_write_args>?,
        _ call: Call
    ) throws(BackendError) -> WriteRequest {
        var defaults = coffer_write_args()
        defaults.size = -1
        let arguments = try readStruct(pointer, over: defaults)
        var request = WriteRequest(try ByteString(key: arguments.key))
        guard arguments.size >= -1 else { throw nonsense("a size is negative") }
        guard arguments.flags == 0 else { throw .unsupported("a flag of a write") }
        request.size = arguments.size < 0 ? nil : UInt64(arguments.size)
        request.attempt = try ByteString(arguments.attempt, "an attempt")
        request.conditions = try conditions(
            arguments.if_match,
            arguments.if_none_match,
            match: .ifMatch,
            absent: .createIfAbsent,
            call
        )
        let kept = try properties(arguments.props, arguments.n_props, arguments.meta, arguments.n_meta)
        (request.properties, request.modified, request.metadata) = (kept.properties, kept.modified, kept.metadata)
        if arguments.n_checksums > 0 { try require(.checksum, "a checksum") }
        request.checksums = Checksums(packed: try PackedPairs(arguments.checksums, count: arguments.n_checksums))
        return request
    }

    func copyRequest(
        _ pointer: UnsafePointer<coffer_copy_args>?,
        _ call: Call
    ) throws(BackendError) -> CopyRequest {
        let arguments = try readStruct(pointer, over: coffer_copy_args())
        var request = CopyRequest(
            from: try ByteString(key: arguments.from),
            to: try ByteString(key: arguments.to)
        )
        guard arguments.flags == 0, arguments.meta_mode <= COFFER_META_REPLACE else {
            throw .unsupported("a flag of a copy")
        }
        request.sourceVersion = try ByteString(arguments.source_version, "a version")
        request.sourceIfMatch = try ByteString(arguments.source_if_match, "a condition")
        request.attempt = try ByteString(arguments.attempt, "an attempt")
        request.conditions = try conditions(
            arguments.if_match,
            arguments.if_none_match,
            match: .copyCondition,
            absent: .copyCondition,
            call
        )
        if !request.sourceVersion.isEmpty { try require(.versions, "a version") }
        if !request.sourceIfMatch.isEmpty { try require(condition: .copyCondition, "a condition on a copy", call) }
        if arguments.meta_mode == COFFER_META_REPLACE {
            try require(.copyMetadata, "a copy with other metadata")
            let kept = try properties(arguments.props, arguments.n_props, arguments.meta, arguments.n_meta)
            var replacement = CopyRequest.Replacement()
            replacement.properties = kept.properties
            replacement.modified = kept.modified
            replacement.metadata = kept.metadata
            request.replacement = replacement
        } else if request.from == request.to {
            throw nonsense("a copy to itself must change the metadata")
        }
        return request
    }

    func removeRequest(
        _ key: coffer_str,
        _ version: coffer_str,
        _ ifMatch: coffer_str,
        _ call: Call
    ) throws(BackendError) -> RemoveRequest {
        var request = RemoveRequest(try ByteString(key: key))
        request.version = try ByteString(version, "a version")
        request.ifMatch = try ByteString(ifMatch, "a condition")
        if !request.version.isEmpty { try require(.versions, "a version") }
        if !request.ifMatch.isEmpty { try require(condition: .removeIfMatch, "a condition on a remove", call) }
        return request
    }

    private func conditions(
        _ match: coffer_str,
        _ noneMatch: coffer_str,
        match matching: Capabilities,
        absent: Capabilities,
        _ call: Call
    ) throws(BackendError) -> Conditions {
        let conditions = Conditions(
            ifMatch: try ByteString(match, "a condition"),
            ifNoneMatch: try ByteString(noneMatch, "a condition")
        )
        if !conditions.ifMatch.isEmpty { try require(condition: matching, "if_match", call) }
        if !conditions.ifNoneMatch.isEmpty {
            try require(condition: absent, "if_none_match", call)
            guard conditions.ifNoneMatch == "*" else { throw .unsupported("if_none_match of a version") }
        }
        return conditions
    }

    /// Properties and metadata that this instance can keep; the others are refused before anything is written.
    private func properties(
        _ props: UnsafePointer<coffer_kv>?,
        _ propCount: Int,
        _ meta: UnsafePointer<coffer_kv>?,
        _ metaCount: Int
    ) throws(BackendError) -> (properties: Properties, modified: Int64?, metadata: Properties) {
        var kept = PackedPairs()
        var modified: Int64?
        for pair in try PackedPairs(props, count: propCount) {
            switch String(decoding: pair.name, as: UTF8.self) {
            case "mtime":
                guard let time = Int64(String(decoding: pair.value, as: UTF8.self)) else {
                    throw nonsense("mtime is not a number")
                }
                try require(.modificationTime, "mtime")
                modified = time
                continue
            case "content-type":
                try require(.contentType, "content-type")
            case "content-encoding", "content-disposition", "content-language", "cache-control":
                try require(.contentProperties, "a content property")
            default:
                break  // The backend knows whether it keeps any other.
            }
            kept.append(pair.name, pair.value)
        }
        let metadata = try PackedPairs(meta, count: metaCount)
        if !metadata.isEmpty { try require(.userMetadata, "user metadata") }
        return (Properties(packed: kept), modified, Properties(packed: metadata))
    }
}

extension ReadAnswer.Body {
    /// Ends a read that nobody will take.
    func drop() {
        switch self {
        case .stream(let stream): stream.close()
        case .descriptor(let number, _, _): close(number)
        }
    }
}
