// What the host offers to an open instance.

import CCofferPlugin

// Sendable because every function of the host's table is safe on any thread and the table lives until the process ends.
/// What the host offers to an open instance; usable until `close` returns, on any thread.
public struct HostServices: @unchecked Sendable {
    /// How grave a line of the log is.
    public enum Level: UInt32, Sendable {
        /// Something failed that an operator must see.
        case error = 1
        /// Something is odd.
        case warning = 2
        /// Something worth knowing happened.
        case info = 3
        /// Detail for the author.
        case debug = 4
    }

    /// What a number means.
    public enum Metric: UInt32, Sendable {
        /// Added to a sum.
        case counter = 1
        /// The value now.
        case gauge = 2
        /// Seconds that something took.
        case timing = 3
    }

    private let host: UnsafePointer<coffer_host>
    private let instance: UnsafeMutableRawPointer?

    init(host: UnsafePointer<coffer_host>, instance: UnsafeMutableRawPointer?) {
        self.host = host
        self.instance = instance
    }

    /// The host's name.
    public var name: String { host.pointee.name.map { String(cString: $0) } ?? "" }

    /// The host's version.
    public var version: String { host.pointee.version.map { String(cString: $0) } ?? "" }

    /// Whether lines of this level are kept.
    public func isLogged(_ level: Level) -> Bool {
        guard host.pointee.log != nil else { return false }
        guard let enabled = host.pointee.log_enabled else { return true }
        return enabled(host.pointee.ctx, level.rawValue) != 0
    }

    /// Writes a line to the host's log.
    ///
    /// The message is made only if it is kept; it never holds a secret.
    public func log(_ level: Level, _ message: @autoclosure () -> String) {
        guard isLogged(level), let log = host.pointee.log else { return }
        ByteString(message()).withC { log(host.pointee.ctx, instance, level.rawValue, $0) }
    }

    /// Reports a number.
    public func report(_ metric: Metric, _ name: String, _ value: Double, labels: Properties = Properties()) {
        guard let report = host.pointee.metric else { return }
        ByteString(name).withC { text in
            labels.packed.withC { pairs in
                report(host.pointee.ctx, instance, metric.rawValue, text, value, pairs.baseAddress, pairs.count)
            }
        }
    }

    /// The present value of an option, or nil; one flagged live is read afresh.
    public func option(_ name: String) throws(BackendError) -> String? {
        guard let get = host.pointee.config_get else { return nil }
        var value: ByteString?
        let status = withUnsafeMutablePointer(to: &value) { slot in
            var sink = coffer_sink()
            sink.struct_size = UInt32(MemoryLayout<coffer_sink>.size)
            sink.ctx = UnsafeMutableRawPointer(slot)
            sink.on_value = { context, _, _, value in
                guard let context else { return 0 }
                context.assumingMemoryBound(to: ByteString?.self).pointee = ByteString(borrowing: value)
                return 0
            }
            return ByteString(name).withC { get(host.pointee.ctx, instance, $0, &sink) }
        }
        switch status {
        case COFFER_OK: return value?.string
        case COFFER_E_NOT_FOUND: return nil
        default: throw BackendError(.init(rawValue: status), "the host does not tell the option: \(name)")
        }
    }

    /// A table of an extension of the host, `vendor.name/1`; nil is none.
    public func hostExtension(_ id: String) -> UnsafeRawPointer? {
        guard let get = host.pointee.get_extension else { return nil }
        return id.withCString { get(host.pointee.ctx, $0) }
    }
}
