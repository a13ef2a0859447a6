public import CCofferPlugin
import Synchronization

/// An opened store of a plugin: its functions as Swift calls.
///
/// Rules of the ABI that this keeps, so that nobody else has to know them:
/// 1. `close` runs once, after the last stream was closed, and no call comes after it.
/// 2. A plugin that asked for one call at a time gets one, its streams included.
/// 3. A function that the plugin does not have answers `COFFER_E_UNSUPPORTED`.
///
/// What a call gives comes through the caller's own `coffer_sink`; nothing is copied or allocated here but errors.
///
/// Unchecked because R4 of the ABI lets every call come on any thread, and the tables never change.
public final class PluginInstance: @unchecked Sendable {
    /// The plugin.
    public let library: PluginLibrary
    /// What the plugin may ask of this store, and what must be masked in its words.
    public let context: InstanceContext
    /// What the store does natively.
    public let native: CapabilityBits
    /// What the host must not emulate on it.
    public let notEmulated: CapabilityBits
    /// Conditions that the plugin can send while nobody knows whether the store keeps them.
    public let unproven: CapabilityBits
    /// The answer to `open`, for its limits.
    public let opened: coffer_open_result
    let operations: coffer_ops
    let pointer: OpaquePointer
    private let lock: SerialLock?
    private let isClosed = Atomic<Bool>(false)
    private let users = Atomic<Int>(1)

    init(
        _ library: PluginLibrary,
        _ context: InstanceContext,
        _ pointer: OpaquePointer,
        _ opened: coffer_open_result
    ) {
        self.library = library
        self.context = context
        self.pointer = pointer
        self.opened = opened
        operations = library.operations
        native = CapabilityBits(rawValue: opened.native)
        notEmulated = CapabilityBits(rawValue: opened.no_emulation)
        unproven = CapabilityBits(rawValue: opened.unproven)
        lock = library.lock ?? (library.isSerialPerInstance ? SerialLock() : nil)
    }

    deinit { close() }

    /// Whether calls follow one another, as the plugin asks for.
    public var isSerial: Bool { lock != nil }

    /// Ends the store's use as soon as its last stream is closed; a second time does nothing.
    public func close() {
        if !isClosed.exchange(true, ordering: .acquiringAndReleasing) { leave() }
    }

    // MARK: Calls

    @inline(__always)
    func perform(
        _ body: (UnsafeMutablePointer<coffer_error>) -> coffer_status
    ) throws(PluginError) {
        let failure = failure { error in
            lock?.lock()
            defer { lock?.unlock() }
            return body(error)
        }
        if let failure { throw failure }
    }

    @inline(__always)
    func function<Function>(_ function: Function?, _ name: StaticString) throws(PluginError) -> Function {
        guard let function else { throw PluginError(COFFER_E_UNSUPPORTED, "the backend has no \(name)") }
        guard !isClosed.load(ordering: .relaxed) else {
            throw PluginError(COFFER_E_UNAVAILABLE, "the store is closed")
        }
        return function
    }

    func enter() { users.add(1, ordering: .relaxed) }

    func leave() {
        guard users.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        withLock { operations.close?(pointer) }
    }

    func withLock(_ body: () -> Void) {
        lock?.lock()
        defer { lock?.unlock() }
        body()
    }

    /// Tests the connection.
    public func health(
        _ call: UnsafePointer<coffer_call>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.health, "health")
        try perform { function(pointer, call, sink, $0) }
    }

    /// Asks for what is known of an object.
    public func stat(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_read_args>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.stat, "stat")
        try perform { function(pointer, call, arguments, sink, $0) }
    }

    /// Opens an object for reading.
    public func openRead(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_read_args>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) -> ReadAnswer {
        let function = try function(operations.read_open, "read_open")
        guard let closing = operations.read_close else {
            throw PluginError(COFFER_E_UNSUPPORTED, "the backend has no read_close")
        }
        var result = coffer_read_result()
        result.struct_size = UInt32(MemoryLayout<coffer_read_result>.size)
        result.fd = -1
        try perform { function(pointer, call, arguments, &result, sink, $0) }
        return try ReadAnswer(result, self, closing)
    }

    /// Begins a write.
    public func beginWrite(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_write_args>
    ) throws(PluginError) -> WriteHandle {
        let function = try function(operations.write_begin, "write_begin")
        guard let closing = operations.write_close else {
            throw PluginError(COFFER_E_UNSUPPORTED, "the backend has no write_close")
        }
        var stream: OpaquePointer?
        try perform { function(pointer, call, arguments, &stream, $0) }
        guard let stream else { throw PluginError(PluginError.brokenRule, "write_begin gave no stream") }
        return WriteHandle(self, stream, closing)
    }

    /// Removes an object.
    public func remove(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_read_args>
    ) throws(PluginError) {
        let function = try function(operations.remove, "remove")
        try perform { function(pointer, call, arguments, $0) }
    }

    /// Removes many objects.
    public func removeBatch(
        _ call: UnsafePointer<coffer_call>,
        _ items: UnsafeBufferPointer<coffer_remove_item>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.remove_batch, "remove_batch")
        try perform {
            function(
                pointer,
                call,
                items.baseAddress,
                items.count,
                MemoryLayout<coffer_remove_item>.stride,
                sink,
                $0
            )
        }
    }

    /// Opens a listing.
    public func openList(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_list_args>
    ) throws(PluginError) -> ListHandle {
        let function = try function(operations.list_open, "list_open")
        guard let closing = operations.list_close else {
            throw PluginError(COFFER_E_UNSUPPORTED, "the backend has no list_close")
        }
        var stream: OpaquePointer?
        try perform { function(pointer, call, arguments, &stream, $0) }
        guard let stream else { throw PluginError(PluginError.brokenRule, "list_open gave no listing") }
        return ListHandle(self, stream, closing)
    }

    /// Copies inside the store.
    public func copy(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_copy_args>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.copy, "copy")
        try perform { function(pointer, call, arguments, sink, $0) }
    }

    /// Moves inside the store.
    public func move(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_copy_args>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.move, "move")
        try perform { function(pointer, call, arguments, sink, $0) }
    }

    /// Makes a URL that works for a while without credentials.
    public func presign(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_presign_args>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.presign, "presign")
        try perform { function(pointer, call, arguments, sink, $0) }
    }

    /// Gives the URL under which the store publishes an object.
    public func publicURL(
        _ call: UnsafePointer<coffer_call>,
        _ key: coffer_str,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.public_url, "public_url")
        try perform { function(pointer, call, key, sink, $0) }
    }

    /// Lists the store's containers.
    public func listContainers(
        _ call: UnsafePointer<coffer_call>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.container_list, "container_list")
        try perform { function(pointer, call, sink, $0) }
    }

    /// Makes a container.
    public func makeContainer(
        _ call: UnsafePointer<coffer_call>,
        _ name: coffer_str,
        _ options: UnsafeBufferPointer<coffer_kv>
    ) throws(PluginError) {
        let function = try function(operations.container_make, "container_make")
        try perform { function(pointer, call, name, options.baseAddress, options.count, $0) }
    }

    /// Removes an empty container.
    public func removeContainer(
        _ call: UnsafePointer<coffer_call>,
        _ name: coffer_str
    ) throws(PluginError) {
        let function = try function(operations.container_remove, "container_remove")
        try perform { function(pointer, call, name, $0) }
    }

    /// Asks for what the store knows of its use.
    public func usage(
        _ call: UnsafePointer<coffer_call>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(operations.usage, "usage")
        try perform { function(pointer, call, sink, $0) }
    }
}
