import CCofferPlugin
import CofferBackend
import CofferLoader
import CofferModel
import CofferSystem

extension PluginBackend {
    func stat(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        try require(COFFER_CAP_STAT, key: request.key)
        let conditions = try readConditions(request.key, request.version, request.conditions, call)
        var sink = ObjectSink(request.key)
        try telling(request.key) { () throws(PluginError) in
            try withReadArguments(request, conditions, call) { (call, arguments) throws(PluginError) in
                try withSink(&sink) { (to) throws(PluginError) in try instance.stat(call, arguments, to) }
            }
        }
        return try telling(request.key) { () throws(PluginError) in try sink.object() }
    }

    func openRead(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ReadResult {
        try require(request.range == .all ? COFFER_CAP_READ : COFFER_CAP_READ | COFFER_CAP_READ_RANGE, key: request.key)
        if case .slice(let offset, let length) = request.range, offset < 0 || length < 0 { throw negative(request) }
        if case .from(..<0) = request.range { throw negative(request) }
        if case .suffix(..<0) = request.range { throw negative(request) }
        let conditions = try readConditions(request.key, request.version, request.conditions, call)
        var sink = ObjectSink(request.key)
        return try telling(request.key) { () throws(PluginError) in
            let answer = try withReadArguments(request, conditions, call) { (call, arguments) throws(PluginError) in
                try withSink(&sink) { (to) throws(PluginError) in try instance.openRead(call, arguments, to) }
            }
            // Taken into ownership before anything is judged, so that nothing is left open.
            let body: ReadResult.Body =
                switch answer.body {
                case .stream(let handle):
                    .stream(PluginReadStream(handle, self, request.key, length: Int64(answer.range.count)))
                case .descriptor(let number, let offset, let flags):
                    .descriptor(
                        ReadDescriptor(
                            file: Descriptor(owning: number),
                            offset: offset,
                            isSeekable: flags & COFFER_FD_SEEKABLE != 0,
                            isShareable: flags & COFFER_FD_SHAREABLE != 0,
                            isImmutable: flags & COFFER_FD_IMMUTABLE != 0
                        )
                    )
                }
            if case .descriptor = body, !request.wantsDescriptor {
                throw .broken("the plugin gave a descriptor that nobody asked for")
            }
            let info = try sink.object()
            try check(answer.range, of: info, for: request)
            return ReadResult(info: info, range: answer.range, body: body)
        }
    }

    /// Refuses bytes other than those that were asked for: a client could not tell.
    private func check(
        _ range: Range<Int64>,
        of info: ObjectInfo,
        for request: ReadRequest
    ) throws(PluginError) {
        guard let size = info.size else { return }
        do throws(CofferError) {
            let expected = try request.range.resolved(size: size)
            if expected == range || (expected.isEmpty && range.isEmpty) { return }
        } catch {
            throw PluginError(COFFER_E_RANGE, error.message)
        }
        throw .broken("the plugin answers with the bytes \(range) of \(size), which are not those that were asked for")
    }

    private func negative(_ request: ReadRequest) -> CofferError {
        CofferError(.invalidArgument, "a range has no negative numbers", key: request.key)
    }

    private func withReadArguments<Result>(
        _ request: ReadRequest,
        _ conditions: Tokens,
        _ call: Call,
        _ body: (UnsafePointer<coffer_call>, UnsafePointer<coffer_read_args>) throws(PluginError) -> Result
    ) throws(PluginError) -> Result {
        try call.withABI { (call) throws(PluginError) in
            let capacity =
                room(request.key.text) + room(request.version) + room(conditions.ifMatch)
                + room(conditions.ifNoneMatch)
            return try withTexts(capacity: capacity) { (texts) throws(PluginError) in
                var arguments = coffer_read_args()
                arguments.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
                arguments.key = texts.keep(request.key.text)
                arguments.version = texts.keep(request.version)
                arguments.if_match = texts.keep(conditions.ifMatch)
                arguments.if_none_match = texts.keep(conditions.ifNoneMatch)
                arguments.length = -1
                if request.wantsDescriptor { arguments.flags |= COFFER_READ_WANT_FD }
                switch request.range {
                case .all: break
                case .from(let offset): arguments.offset = UInt64(offset)
                case .slice(let offset, let length):
                    arguments.offset = UInt64(offset)
                    arguments.length = length
                case .suffix(let length):
                    arguments.length = length
                    arguments.flags |= COFFER_READ_SUFFIX
                }
                return try body(call, &arguments)
            }
        }
    }
}
