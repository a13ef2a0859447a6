// The functions that a plugin calls. They are formed here, outside any actor: a C function that was formed on the main
// actor traps when a plugin's thread calls it.
import CCofferPlugin
import Glibc

/// How a plugin asks whether its call was cancelled; `coffer_call.token` points to one on the caller's stack.
public struct CallToken {
    /// Whom the functions ask.
    public var object: UnsafeRawPointer?
    /// Non-zero once cancelled.
    public var isCancelled: @convention(c) (UnsafeRawPointer?) -> Int32
    /// A descriptor that becomes readable once cancelled; -1 if there is none.
    public var descriptor: @convention(c) (UnsafeRawPointer?) -> Int32

    /// Creates a token; it lives as long as the call.
    public init(
        object: UnsafeRawPointer?,
        isCancelled: @escaping @convention(c) (UnsafeRawPointer?) -> Int32,
        descriptor: @escaping @convention(c) (UnsafeRawPointer?) -> Int32
    ) {
        self.object = object
        self.isCancelled = isCancelled
        self.descriptor = descriptor
    }

    /// A token of a call that nobody cancels.
    public static var never: CallToken { CallToken(object: nil, isCancelled: { _ in 0 }, descriptor: { _ in -1 }) }
}

/// One file's side of the host: who it is in the log, and who listens.
final class HostContext: Sendable {
    let path: String
    let events: Guarded<HostEvents>

    init(path: String, events: HostEvents) {
        self.path = path
        self.events = Guarded(events)
    }
}

/// Makes the host's table for one file; it and what it names stay until the process ends, as the ABI promises.
func makeHostTable(_ context: HostContext) -> UnsafePointer<coffer_host> {
    var host = coffer_host()
    host.struct_size = UInt32(MemoryLayout<coffer_host>.size)
    host.abi = COFFER_ABI_CURRENT
    host.ctx = Unmanaged.passRetained(context).toOpaque()
    host.name = UnsafePointer(strdup("coffer"))
    host.version = UnsafePointer(strdup(versionText(COFFER_ABI_CURRENT)))
    host.log_enabled = { context, level in
        guard let context else { return 0 }
        return level <= hostContext(context).events.withLock { $0.level.rawValue } ? 1 : 0
    }
    host.log = { context, instance, level, message in
        guard let context else { return }
        log(hostContext(context), InstanceContext.find(instance), level, message)
    }
    host.cancelled = { _, token in
        guard let token = token?.assumingMemoryBound(to: CallToken.self) else { return 0 }
        return token.pointee.isCancelled(token.pointee.object)
    }
    host.cancel_fd = { _, token in
        guard let token = token?.assumingMemoryBound(to: CallToken.self) else { return -1 }
        return token.pointee.descriptor(token.pointee.object)
    }
    host.config_get = { _, instance, key, sink in
        guard let sink, let instance = InstanceContext.find(instance) else { return COFFER_E_INVALID_ARGUMENT }
        let name = String(decoding: key.bytes, as: UTF8.self)
        guard let value = instance.value(of: name) else { return COFFER_E_NOT_FOUND }
        return give(value, of: name, to: sink)
    }
    host.metric = { context, instance, kind, name, value, labels, count in
        guard let context else { return }
        metric(hostContext(context), InstanceContext.find(instance), kind, name, value, labels, count)
    }
    host.get_extension = { _, _ in nil }
    let table = UnsafeMutablePointer<coffer_host>.allocate(capacity: 1)
    table.initialize(to: host)
    return UnsafePointer(table)
}

private func hostContext(_ pointer: UnsafeMutableRawPointer) -> HostContext {
    Unmanaged<HostContext>.fromOpaque(pointer).takeUnretainedValue()
}

private func log(_ context: HostContext, _ instance: InstanceContext?, _ number: UInt32, _ message: coffer_str) {
    let events = context.events.withLock { $0 }
    // A level that nobody knows is taken for the least of those that are shown.
    let level = HostEvents.Level(rawValue: number) ?? .debug
    guard level <= events.level else { return }
    let text = oneLine(UnsafeRawBufferPointer(rebasing: message.bytes.prefix(4096)))
    events.log(
        HostEvents.Line(
            plugin: context.path,
            storage: instance?.storage,
            level: level,
            message: instance?.masked(text) ?? text
        )
    )
}

private func metric(
    _ context: HostContext,
    _ instance: InstanceContext?,
    _ number: UInt32,
    _ name: coffer_str,
    _ value: Double,
    _ labels: UnsafePointer<coffer_kv>?,
    _ count: Int
) {
    guard let kind = HostEvents.Metric.Kind(rawValue: number), value.isFinite else { return }
    let events = context.events.withLock { $0 }
    let labels = UnsafeBufferPointer(start: labels, count: labels == nil ? 0 : min(count, 32)).map {
        let value = oneLine($0.value.bytes)
        return HostEvents.Label(name: oneLine($0.key.bytes), value: instance?.masked(value) ?? value)
    }
    events.metric(
        HostEvents.Metric(
            plugin: context.path,
            storage: instance?.storage,
            kind: kind,
            name: oneLine(name.bytes),
            value: value,
            labels: labels
        )
    )
}

/// Hands `value` to a plugin's sink, each text with a NUL behind it.
private func give(_ value: String, of name: String, to sink: UnsafePointer<coffer_sink>) -> coffer_status {
    guard Int(sink.pointee.struct_size) >= MemoryLayout<coffer_sink>.offset(of: \.on_result) ?? 0,
        let receive = sink.pointee.on_value
    else { return COFFER_E_INVALID_ARGUMENT }
    return name.withCString { nameText in
        value.withCString { valueText in
            let stop = receive(
                sink.pointee.ctx,
                COFFER_VAL_CONFIG,
                coffer_str(ptr: nameText, len: name.utf8.count),
                coffer_str(ptr: valueText, len: value.utf8.count)
            )
            return stop == 0 ? COFFER_OK : COFFER_E_CANCELLED
        }
    }
}
