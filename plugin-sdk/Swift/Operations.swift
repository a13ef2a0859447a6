// The operations table: which C functions a backend offers, and how an instance lives behind one pointer.

import CCofferPlugin

/// What stands behind a `coffer_instance`.
final class InstanceBox {
    let backend: any StorageBackend
    let host: UnsafePointer<coffer_host>
    let native: Capabilities
    private let unproven: Capabilities

    init(_ backend: any StorageBackend, host: UnsafePointer<coffer_host>, _ traits: Traits) {
        self.backend = backend
        self.host = host
        native = traits.native
        unproven = traits.unproven
    }

    /// Throws `unsupported` unless all of these are native here.
    @inline(__always)
    func require(_ wanted: Capabilities, _ what: StaticString) throws(BackendError) {
        guard native.isSuperset(of: wanted) else { throw .unsupported("\(what)") }
    }

    /// Throws `unsupported` unless this condition is native here, or unproven and the host knows what it does.
    @inline(__always)
    func require(condition: Capabilities, _ what: StaticString, _ call: Call) throws(BackendError) {
        let known = call.sendsUnproven ? native.union(unproven) : native
        guard known.isSuperset(of: condition) else { throw .unsupported("\(what)") }
    }
}

/// What stands behind a stream's pointer.
final class StreamBox<Stream> {
    let stream: Stream
    let host: UnsafePointer<coffer_host>
    /// Bytes left of what was promised (a read) or announced (a write); nil if nothing was.
    var left: UInt64?
    /// Whether a write has failed or been committed: only its close may follow.
    var isSpent = false

    init(_ stream: Stream, host: UnsafePointer<coffer_host>, left: UInt64? = nil) {
        self.stream = stream
        self.host = host
        self.left = left
    }
}

typealias ReadBox = StreamBox<any ReadStream>
typealias WriteBox = StreamBox<any WriteStream>
typealias ListBox = StreamBox<any ListStream>

/// Runs `body` on what a pointer stands for; NULL and everything thrown become a status.
@inline(__always)
func with<Box: AnyObject>(
    _ pointer: OpaquePointer?,
    as type: Box.Type,
    _ error: UnsafeMutablePointer<coffer_error>?,
    _ body: (Box) throws(BackendError) -> Void
) -> coffer_status {
    guard let pointer else { return nonsense("a handle is missing").report(to: error) }
    let box = Unmanaged<Box>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
    do throws(BackendError) {
        try body(box)
        return COFFER_OK
    } catch let reason {
        return reason.report(to: error)
    }
}

/// Runs `body` on an instance and with a call that is neither cancelled nor late.
@inline(__always)
func onInstance(
    _ instance: OpaquePointer?,
    _ call: UnsafePointer<coffer_call>?,
    _ error: UnsafeMutablePointer<coffer_error>?,
    _ body: (InstanceBox, Call) throws(BackendError) -> Void
) -> coffer_status {
    with(instance, as: InstanceBox.self, error) { box throws(BackendError) in
        let call = Call(host: box.host, call)
        try call.check()
        try body(box, call)
    }
}

/// A pointer that keeps `box` alive until `release`.
func handle(_ box: AnyObject) -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(box).toOpaque()) }

/// Takes what a pointer stands for out of it; NULL is nothing.
func release<Box: AnyObject>(_ pointer: OpaquePointer?, as type: Box.Type) -> Box? {
    pointer.map { Unmanaged<Box>.fromOpaque(UnsafeRawPointer($0)).takeRetainedValue() }
}

/// Opens an instance of the type at `place`.
func openInstance(
    _ place: Int,
    _ arguments: UnsafePointer<coffer_open_args>?,
    _ call: UnsafePointer<coffer_call>?,
    _ result: UnsafeMutablePointer<coffer_open_result>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> coffer_status {
    let export = Exports.shared[place]
    do throws(BackendError) {
        let needed = (MemoryLayout<coffer_open_result>.offset(of: \.native) ?? 0) + 8
        try room(in: result, atLeast: needed)
        let given = try readStruct(arguments, over: coffer_open_args())
        let backend = try export.type.init(
            name: try ByteString(given.name, "a name").string,
            options: Options(Properties(packed: try PackedPairs(given.options, count: given.n_options))),
            host: HostServices(host: export.host, instance: given.host_instance),
            call: Call(host: export.host, call)
        )
        let traits = backend.traits
        guard export.traits.isSuperset(of: traits.native.union(traits.unproven)) else {
            backend.close()
            throw BackendError(.internal, "an instance claims more than its plugin")
        }
        guard Capabilities.changeConditions.isSuperset(of: traits.unproven),
            traits.native.isDisjoint(with: traits.unproven)
        else {
            backend.close()
            throw BackendError(.internal, "an instance calls unproven what is native or no condition on a change")
        }
        let box = InstanceBox(backend, host: export.host, traits)
        var answer = coffer_open_result()
        answer.instance = handle(box)
        answer.native = traits.native.rawValue
        answer.no_emulation = traits.noEmulation.rawValue
        answer.max_object = traits.limits.maxObject
        answer.preferred_part = traits.limits.preferredPart
        answer.max_parts = traits.limits.maxParts
        answer.max_key = traits.limits.maxKey
        answer.max_list_page = traits.limits.maxListPage
        answer.max_batch = traits.limits.maxBatch
        answer.max_presign_s = traits.limits.maxPresignSeconds
        answer.max_meta = traits.limits.maxMetadata
        answer.unproven = traits.unproven.rawValue
        answer.min_part = traits.limits.minPart
        try writeStruct(answer, to: result, atLeast: needed)
        return COFFER_OK
    } catch let reason {
        return reason.report(to: error)
    }
}

/// The table of a backend that can do `offered`: everything else stays NULL.
func makeOperations(_ offered: Capabilities, open: @escaping Places.Open) -> coffer_ops {
    var table = coffer_ops()
    table.struct_size = UInt32(MemoryLayout<coffer_ops>.size)
    table.open = open
    table.close = { release($0, as: InstanceBox.self)?.backend.close() }
    table.health = { Operation.health($0, $1, $2, $3) }
    if offered.contains(.stat) { table.stat = { Operation.stat($0, $1, $2, $3, $4) } }
    if offered.contains(.read) {
        table.read_open = { Operation.readOpen($0, $1, $2, $3, $4, $5) }
        table.read = { Operation.read($0, $1, $2, $3, $4, $5) }
        table.read_close = { release($0, as: ReadBox.self)?.stream.close() }
    }
    if offered.contains(.write) {
        table.write_begin = { Operation.writeBegin($0, $1, $2, $3, $4) }
        table.write_append = { Operation.writeAppend($0, $1, $2, $3, $4) }
        table.write_commit = { Operation.writeCommit($0, $1, $2, $3, $4) }
        table.write_close = { release($0, as: WriteBox.self)?.stream.close() }
        if offered.contains(.writeIngest) { table.write_ingest = { Operation.writeIngest($0, $1, $2, $3, $4, $5, $6) } }
    }
    if offered.contains(.remove) { table.remove = { Operation.remove($0, $1, $2, $3) } }
    if offered.contains(.removeBatch) { table.remove_batch = { Operation.removeBatch($0, $1, $2, $3, $4, $5, $6) } }
    if offered.contains(.list) {
        table.list_open = { Operation.listOpen($0, $1, $2, $3, $4) }
        table.list_next = { Operation.listNext($0, $1, $2, $3, $4, $5) }
        table.list_close = { release($0, as: ListBox.self)?.stream.close() }
    }
    if !offered.isDisjoint(with: [.copy, .copyMetadata]) { table.copy = { Operation.copy($0, $1, $2, $3, $4) } }
    if offered.contains(.move) { table.move = { Operation.move($0, $1, $2, $3, $4) } }
    if offered.contains(.presign) { table.presign = { Operation.presign($0, $1, $2, $3, $4) } }
    if offered.contains(.publicURL) { table.public_url = { Operation.publicURL($0, $1, $2, $3, $4) } }
    if offered.contains(.containers) {
        table.container_list = { Operation.containerList($0, $1, $2, $3) }
        table.container_make = { Operation.containerMake($0, $1, $2, $3, $4, $5) }
        table.container_remove = { Operation.containerRemove($0, $1, $2, $3) }
    }
    if offered.contains(.usage) { table.usage = { Operation.usage($0, $1, $2, $3) } }
    return table
}
