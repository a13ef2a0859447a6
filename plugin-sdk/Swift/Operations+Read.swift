// The operations that read: health, stat, reading, listing, usage, URLs.

import CCofferPlugin

/// The C operations, one function each: read the arguments, refuse what the instance cannot do, ask the backend, answer.
enum Operation {
    typealias Instance = OpaquePointer?
    typealias CallPointer = UnsafePointer<coffer_call>?
    typealias SinkPointer = UnsafePointer<coffer_sink>?
    typealias ErrorPointer = UnsafeMutablePointer<coffer_error>?

    static func health(_ i: Instance, _ c: CallPointer, _ s: SinkPointer, _ e: ErrorPointer) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = try coffer_sink.read(s)
            for fact in try box.backend.health(call: call) {
                try sink.value(COFFER_VAL_INFO, ByteString(fact.name), ByteString(fact.value))
            }
        }
    }

    static func stat(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_read_args>?,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            let arguments = try readStruct(a, over: coffer_read_args.none)
            var request = try box.readRequest(arguments)
            try box.require(.stat, "stat")
            request.range = .all
            try sink.send(try box.backend.stat(request, call: call))
        }
    }

    static func readOpen(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_read_args>?,
        _ r: UnsafeMutablePointer<coffer_read_result>?,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            let needed = (MemoryLayout<coffer_read_result>.offset(of: \.length) ?? 0) + 8
            try room(in: r, atLeast: needed)
            let request = try box.readRequest(try readStruct(a, over: coffer_read_args.none))
            try box.require(.read, "read")
            if request.range != .all { try box.require(.readRange, "a range") }
            let answer = try box.backend.openRead(request, call: call)
            do throws(BackendError) {
                try sink.send(answer.entry)
            } catch {
                answer.body.drop()
                throw error
            }
            var result = coffer_read_result()
            result.fd = -1
            result.offset = answer.range.lowerBound
            result.length = UInt64(answer.range.count)
            switch answer.body {
            case .stream(let stream):
                result.stream = handle(ReadBox(stream, host: box.host, left: result.length))
            case .descriptor(let number, let flags, let offset):
                result.fd = number
                result.fd_flags = flags.rawValue
                result.fd_offset = offset
            }
            try writeStruct(result, to: r, atLeast: needed)
        }
    }

    static func read(
        _ stream: OpaquePointer?,
        _ c: CallPointer,
        _ buffer: UnsafeMutableRawPointer?,
        _ capacity: Int,
        _ got: UnsafeMutablePointer<Int>?,
        _ e: ErrorPointer
    ) -> coffer_status {
        got?.pointee = 0
        return with(stream, as: ReadBox.self, e) { box throws(BackendError) in
            guard let got, let buffer, capacity > 0 else { throw nonsense("a read needs room") }
            let left = box.left ?? 0
            guard left > 0 else { return }
            let call = Call(host: box.host, c)
            try call.check()
            let room = UnsafeMutableRawBufferPointer(start: buffer, count: Int(min(UInt64(capacity), left)))
            var span = room.mutableBytes
            let count = try box.stream.read(into: &span, call: call)
            guard count > 0 && count <= room.count else {
                throw BackendError(.corrupt, "the object ends \(left) bytes early")
            }
            box.left = left - UInt64(count)
            got.pointee = count
        }
    }

    static func listOpen(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_list_args>?,
        _ r: UnsafeMutablePointer<OpaquePointer?>?,
        _ e: ErrorPointer
    ) -> coffer_status {
        r?.pointee = nil
        return onInstance(i, c, e) { box, call throws(BackendError) in
            guard let r else { throw nonsense("a result is missing") }
            let arguments = try readStruct(a, over: coffer_list_args())
            guard arguments.flags & ~(COFFER_LIST_VERSIONS | COFFER_LIST_WANT_META) == 0 else {
                throw .unsupported("a flag of a listing")
            }
            var request = ListRequest()
            request.prefix = try ByteString(arguments.prefix, "a prefix")
            request.delimiter = try ByteString(arguments.delimiter, "a delimiter")
            request.startAfter = try ByteString(arguments.start_after, "a start")
            request.token = try ByteString(arguments.token, "a token")
            request.wantsVersions = arguments.flags & COFFER_LIST_VERSIONS != 0
            request.wantsMetadata = arguments.flags & COFFER_LIST_WANT_META != 0
            try box.require(.list, "list")
            if !request.delimiter.isEmpty { try box.require(.listDelimiter, "a delimiter") }
            if !request.startAfter.isEmpty { try box.require(.listAfter, "a start of a listing") }
            if request.wantsVersions { try box.require(.versions, "a listing of versions") }
            r.pointee = handle(ListBox(try box.backend.openList(request, call: call), host: box.host))
        }
    }

    static func listNext(
        _ stream: OpaquePointer?,
        _ c: CallPointer,
        _ limit: UInt64,
        _ done: UnsafeMutablePointer<UInt32>?,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        with(stream, as: ListBox.self, e) { box throws(BackendError) in
            guard let done, limit > 0 else { throw nonsense("a page has at least one entry") }
            done.pointee = 0
            let sink = try coffer_sink.read(s)
            let call = Call(host: box.host, c)
            try call.check()
            let page = try box.stream.next(limit: Int(clamping: limit), into: EntrySink(sink), call: call)
            switch page {
            case .end: done.pointee = 1
            case .more(let token):
                if !token.isEmpty { try sink.value(COFFER_VAL_NEXT, .empty, token) }
            }
        }
    }

    static func usage(_ i: Instance, _ c: CallPointer, _ s: SinkPointer, _ e: ErrorPointer) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = try coffer_sink.read(s)
            try box.require(.usage, "usage")
            let usage = try box.backend.usage(call: call)
            let facts: [(ByteString, UInt64?)] = [
                ("bytes", usage.bytes), ("objects", usage.objects), ("bytes_free", usage.bytesFree),
                ("bytes_total", usage.bytesTotal),
            ]
            for case (let name, let value?) in facts {
                try sink.value(COFFER_VAL_USAGE, name, ByteString(String(value)))
            }
        }
    }

    static func publicURL(
        _ i: Instance,
        _ c: CallPointer,
        _ key: coffer_str,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = try coffer_sink.read(s)
            let key = try ByteString(key: key)
            try box.require(.publicURL, "public_url")
            try sink.value(COFFER_VAL_URL, .empty, ByteString(try box.backend.publicURL(of: key, call: call)))
        }
    }

    static func presign(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_presign_args>?,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = try coffer_sink.read(s)
            var defaults = coffer_presign_args()
            defaults.size_exact = -1
            let arguments = try readStruct(a, over: defaults)
            var request = PresignRequest(
                method: try ByteString(arguments.method, "a method").string,
                key: try ByteString(key: arguments.key)
            )
            guard arguments.size_exact >= -1 else { throw nonsense("a size is negative") }
            request.expiresSeconds = arguments.expires_s
            request.contentType = try ByteString(arguments.content_type, "a content type").string
            request.filename = try ByteString(arguments.filename, "a file name").string
            request.responseType = try ByteString(arguments.response_type, "a response type").string
            request.size = arguments.size_exact < 0 ? nil : UInt64(arguments.size_exact)
            request.query = Properties(packed: try PackedPairs(arguments.query, count: arguments.n_query))
            try box.require(.presign, "presign")
            let answer = try box.backend.presign(request, call: call)
            try sink.value(COFFER_VAL_URL, .empty, ByteString(answer.url))
            try sink.value(COFFER_VAL_EXPIRES, .empty, ByteString(String(answer.expires)))
            for header in answer.headers {
                try sink.value(COFFER_VAL_HEADER, ByteString(header.name), ByteString(header.value))
            }
        }
    }
}

extension InstanceBox {
    /// What `stat` and `read_open` have in common.
    func readRequest(_ arguments: coffer_read_args) throws(BackendError) -> ReadRequest {
        var request = ReadRequest(try ByteString(key: arguments.key))
        let known = COFFER_READ_WANT_FD | COFFER_READ_SUFFIX | COFFER_READ_STRICT
        guard arguments.flags & ~known == 0 else { throw .unsupported("a flag of a read") }
        request.version = try ByteString(arguments.version, "a version")
        request.conditions.ifMatch = try ByteString(arguments.if_match, "a condition")
        request.conditions.ifNoneMatch = try ByteString(arguments.if_none_match, "a condition")
        request.range = try range(arguments)
        request.wantsDescriptor =
            arguments.flags & COFFER_READ_WANT_FD != 0 && native.contains(.readDescriptor)
        if !request.version.isEmpty { try require(.versions, "a version") }
        if !request.conditions.isEmpty { try require(.readCondition, "a condition on a read") }
        return request
    }

    private func range(_ arguments: coffer_read_args) throws(BackendError) -> ReadRange {
        guard arguments.length >= -1 else { throw nonsense("a length is negative") }
        if arguments.flags & COFFER_READ_SUFFIX != 0 {
            guard arguments.offset == 0, arguments.length >= 0 else { throw nonsense("a suffix has a length alone") }
            return .suffix(UInt64(arguments.length))
        }
        if arguments.length == -1 { return arguments.offset == 0 ? .all : .from(arguments.offset) }
        return .slice(offset: arguments.offset, length: UInt64(arguments.length))
    }
}

extension coffer_read_args {
    /// What an absent field means: everything, without conditions.
    static var none: coffer_read_args {
        var arguments = coffer_read_args()
        arguments.length = -1
        return arguments
    }
}

extension coffer_sink {
    /// Hands a value to the host; throws `cancelled` if it wants no more.
    func value(_ kind: UInt32, _ name: ByteString, _ value: ByteString) throws(BackendError) {
        guard let function = on_value else { return }
        let answer = name.withC { name in value.withC { function(ctx, kind, name, $0) } }
        if answer != 0 { throw BackendError(.cancelled, "the host wants no more values") }
    }
}
