import CCofferPlugin
import CofferBackend
import CofferLoader
import CofferModel

extension PluginBackend {
    func beginWrite(_ request: WriteRequest, _ call: Call) throws(CofferError) -> any WriteStream {
        try require(COFFER_CAP_WRITE, key: request.key)
        if let size = request.size, size < 0 {
            throw CofferError(.invalidArgument, "the size is negative", key: request.key)
        }
        let conditions = try writeConditions(request.key, request.conditions, call)
        let handle = try telling(request.key) { () throws(PluginError) in
            try call.withABI(sendsUnproven: conditions.isUnproven) { (call) throws(PluginError) in
                let capacity =
                    room(request.key.text) + room(conditions.ifMatch) + room(conditions.ifNoneMatch)
                    + room(request.attempt) + request.metadata.room + roomFor(request.checksums)
                return try withTexts(capacity: capacity) { (texts) throws(PluginError) in
                    var arguments = coffer_write_args()
                    arguments.struct_size = UInt32(MemoryLayout<coffer_write_args>.size)
                    arguments.key = texts.keep(request.key.text)
                    arguments.if_match = texts.keep(conditions.ifMatch)
                    arguments.if_none_match = texts.keep(conditions.ifNoneMatch)
                    arguments.attempt = texts.keep(request.attempt)
                    arguments.size = request.size ?? -1
                    let props = request.metadata.properties(&texts)
                    let meta = request.metadata.userPairs(&texts)
                    // The host proves every digest itself; only a store that keeps them is told.
                    let known = instance.native.has(COFFER_CAP_CHECKSUM) ? request.checksums : []
                    let checksums = kept(known, &texts)
                    return try withBuffers(props, meta, checksums) { (props, meta, checksums) throws(PluginError) in
                        arguments.n_props = props.count
                        arguments.props = props.baseAddress
                        arguments.n_meta = meta.count
                        arguments.meta = meta.baseAddress
                        arguments.n_checksums = checksums.count
                        arguments.checksums = checksums.baseAddress
                        return try instance.beginWrite(call, &arguments)
                    }
                }
            }
        }
        return PluginWriteStream(handle, self, request.key)
    }

    func copy(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        try transfer(request, call, COFFER_CAP_COPY) { (call, arguments, to) throws(PluginError) in
            try instance.copy(call, arguments, to)
        }
    }

    func move(_ request: CopyRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        try transfer(request, call, COFFER_CAP_MOVE) { (call, arguments, to) throws(PluginError) in
            try instance.move(call, arguments, to)
        }
    }

    private func transfer(
        _ request: CopyRequest,
        _ call: Call,
        _ bit: UInt64,
        _ body: (
            UnsafePointer<coffer_call>, UnsafePointer<coffer_copy_args>, UnsafePointer<coffer_sink>
        ) throws(PluginError) -> Void
    ) throws(CofferError) -> ObjectInfo {
        try require(bit, key: request.to)
        let isConditional = !request.conditions.isEmpty || request.sourceIfMatch != nil
        var sendsUnproven = false
        if isConditional { sendsUnproven = try isUnproven(COFFER_CAP_COPY_CONDITION, key: request.to) }
        if request.sourceVersion != nil { try require(COFFER_CAP_VERSIONS, key: request.from) }
        if request.metadata != nil { try require(COFFER_CAP_COPY_META, key: request.to) }
        let source = try oneMatch(request.sourceIfMatch, request.from, request.sourceVersion, call)
        let ifMatch = try oneMatch(request.conditions.ifMatch, request.to, nil, call)
        let ifNoneMatch = try createOnly(request.conditions.ifNoneMatch, request.to)
        let metadata = request.metadata ?? Metadata()
        var sink = ObjectSink(request.to)
        return try telling { () throws(PluginError) in
            try call.withABI(sendsUnproven: sendsUnproven) { (call) throws(PluginError) in
                let capacity =
                    room(request.from.text) + room(request.sourceVersion) + room(source) + room(request.to.text)
                    + room(ifMatch) + room(ifNoneMatch) + room(request.attempt) + metadata.room
                try withTexts(capacity: capacity) { (texts) throws(PluginError) in
                    var arguments = coffer_copy_args()
                    arguments.struct_size = UInt32(MemoryLayout<coffer_copy_args>.size)
                    arguments.from = texts.keep(request.from.text)
                    arguments.source_version = texts.keep(request.sourceVersion)
                    arguments.source_if_match = texts.keep(source)
                    arguments.to = texts.keep(request.to.text)
                    arguments.if_match = texts.keep(ifMatch)
                    arguments.if_none_match = texts.keep(ifNoneMatch)
                    arguments.attempt = texts.keep(request.attempt)
                    arguments.meta_mode = request.metadata == nil ? COFFER_META_KEEP : COFFER_META_REPLACE
                    let props = metadata.properties(&texts)
                    let meta = metadata.userPairs(&texts)
                    try withBuffers(props, meta, []) { (props, meta, _) throws(PluginError) in
                        arguments.n_props = props.count
                        arguments.props = props.baseAddress
                        arguments.n_meta = meta.count
                        arguments.meta = meta.baseAddress
                        try withSink(&sink) { (to) throws(PluginError) in try body(call, &arguments, to) }
                    }
                }
            }
            return try sink.object(isMaybeApplied: true)
        }
    }

    func remove(_ request: RemoveRequest, _ call: Call) throws(CofferError) {
        try require(COFFER_CAP_REMOVE, key: request.key)
        let (match, isUnproven) = try removeCondition(request, call)
        try telling(request.key) { () throws(PluginError) in
            try call.withABI(sendsUnproven: isUnproven) { (call) throws(PluginError) in
                let capacity = room(request.key.text) + room(request.version) + room(match)
                try withTexts(capacity: capacity) { (texts) throws(PluginError) in
                    var arguments = coffer_read_args()
                    arguments.struct_size = UInt32(MemoryLayout<coffer_read_args>.size)
                    arguments.key = texts.keep(request.key.text)
                    arguments.version = texts.keep(request.version)
                    arguments.if_match = texts.keep(match)
                    arguments.length = -1
                    if request.isStrict { arguments.flags = COFFER_READ_STRICT }
                    try instance.remove(call, &arguments)
                }
            }
        }
    }

    private func removeCondition(
        _ request: RemoveRequest,
        _ call: Call
    ) throws(CofferError) -> (match: String?, isUnproven: Bool) {
        if request.version != nil { try require(COFFER_CAP_VERSIONS, key: request.key) }
        guard request.ifMatch != nil else { return (nil, false) }
        let isUnproven = try isUnproven(COFFER_CAP_REMOVE_IF_MATCH, key: request.key)
        return (try oneMatch(request.ifMatch, request.key, request.version, call), isUnproven)
    }

    func removeBatch(_ requests: [RemoveRequest], _ call: Call) throws(CofferError) -> [CofferError?] {
        try require(COFFER_CAP_REMOVE_BATCH)
        guard !requests.isEmpty else { return [] }
        var matches: [String?] = []
        var hasUnproven = false
        for request in requests {
            guard !request.isStrict else {
                throw CofferError(.unsupported, "a batch does not tell absent keys", key: request.key)
            }
            let (match, isUnproven) = try removeCondition(request, call)
            matches.append(match)
            if isUnproven { hasUnproven = true }
        }
        var sink = BatchSink(count: requests.count)
        try telling { () throws(PluginError) in
            try call.withABI(sendsUnproven: hasUnproven) { (call) throws(PluginError) in
                var capacity = 0
                for (request, match) in zip(requests, matches) {
                    capacity += room(request.key.text) + room(request.version) + room(match)
                }
                try withTexts(capacity: capacity) { (texts) throws(PluginError) in
                    var items: [coffer_remove_item] = []
                    for (request, match) in zip(requests, matches) {
                        var item = coffer_remove_item()
                        item.struct_size = UInt32(MemoryLayout<coffer_remove_item>.size)
                        item.key = texts.keep(request.key.text)
                        item.version = texts.keep(request.version)
                        item.if_match = texts.keep(match)
                        items.append(item)
                    }
                    try withSink(&sink) { (to) throws(PluginError) in
                        try items.withUnsafeBufferPointer { (items) throws(PluginError) in
                            try instance.removeBatch(call, items, to)
                        }
                    }
                }
            }
            guard sink.isAnswered.allSatisfy(\.self) else {
                throw .broken("the plugin gave no result for an item of the batch", isMaybeApplied: true)
            }
        }
        return zip(requests, sink.results).map { $1?.cofferError(instance.context, key: $0.key) }
    }
}
