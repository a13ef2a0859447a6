public import CCofferPlugin
import Glibc
import Synchronization

/// A stream of a plugin, closed exactly once: by ``close()`` or when the last reference goes.
///
/// Unchecked because R4 of the ABI lets calls on a stream come on any thread, and the caller lets no two overlap.
public class StreamHandle: @unchecked Sendable {
    let instance: PluginInstance
    let pointer: OpaquePointer
    private let closing: @convention(c) (OpaquePointer?) -> Void
    private let isClosed = Atomic<Bool>(false)

    init(
        _ instance: PluginInstance,
        _ pointer: OpaquePointer,
        _ closing: @escaping @convention(c) (OpaquePointer?) -> Void
    ) {
        self.instance = instance
        self.pointer = pointer
        self.closing = closing
        instance.enter()
    }

    deinit { close() }

    /// Ends the stream; a second time does nothing.
    public final func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        instance.withLock { closing(pointer) }
        instance.leave()
    }

    @inline(__always)
    final func open<Function>(_ function: Function?, _ name: StaticString) throws(PluginError) -> Function {
        guard !isClosed.load(ordering: .relaxed) else {
            throw PluginError(COFFER_E_INVALID_ARGUMENT, "the stream is closed")
        }
        guard let function else { throw PluginError(COFFER_E_UNSUPPORTED, "the backend has no \(name)") }
        return function
    }
}

/// An opened read: which bytes come, and how.
public struct ReadAnswer: Sendable {
    /// The bytes.
    public enum Body: Sendable {
        /// As a stream.
        case stream(ReadHandle)
        /// As a descriptor that the receiver owns, with where they start in it and `COFFER_FD_*`.
        case descriptor(Int32, offset: Int64, flags: UInt32)
    }

    /// The bytes of the object that come.
    public var range: Range<Int64>
    /// How they come.
    public var body: Body

    init(
        _ result: coffer_read_result,
        _ instance: PluginInstance,
        _ closing: @escaping @convention(c) (OpaquePointer?) -> Void
    ) throws(PluginError) {
        let handle = result.stream.map { ReadHandle(instance, $0, closing) }
        func broken(_ reason: String) -> PluginError {
            handle?.close()
            if result.fd >= 0 { Glibc.close(result.fd) }
            return PluginError(PluginError.brokenRule, "read_open gave \(reason)")
        }
        guard let start = Int64(exactly: result.offset), let length = Int64(exactly: result.length),
            let place = Int64(exactly: result.fd_offset), start.addingReportingOverflow(length).overflow == false,
            place.addingReportingOverflow(length).overflow == false
        else { throw broken("impossible numbers") }
        range = start..<(start + length)
        switch (handle, result.fd) {
        case (let handle?, ..<0): body = .stream(handle)
        case (nil, 0...): body = .descriptor(result.fd, offset: place, flags: result.fd_flags)
        case (nil, _): throw broken("neither a stream nor a descriptor")
        case (_?, _): throw broken("a stream and a descriptor")
        }
    }
}

/// One read of a plugin.
public final class ReadHandle: StreamHandle, @unchecked Sendable {
    /// Fills `buffer` as far as the plugin will and says how far; 0 only at the end.
    public func read(
        _ call: UnsafePointer<coffer_call>,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(PluginError) -> Int {
        let function = try open(instance.operations.read, "read")
        var got = 0
        try instance.perform { function(pointer, call, buffer.baseAddress, buffer.count, &got, $0) }
        guard got >= 0, got <= buffer.count else {
            throw PluginError(PluginError.brokenRule, "read gave \(UInt(bitPattern: got)) bytes into \(buffer.count)")
        }
        return got
    }
}

/// One write of a plugin.
public final class WriteHandle: StreamHandle, @unchecked Sendable {
    /// Takes all of `bytes`.
    public func append(
        _ call: UnsafePointer<coffer_call>,
        _ bytes: UnsafeRawBufferPointer
    ) throws(PluginError) {
        let function = try open(instance.operations.write_append, "write_append")
        try instance.perform { function(pointer, call, bytes.baseAddress, bytes.count, $0) }
    }

    /// Takes bytes from a descriptor and says how many.
    public func ingest(
        _ call: UnsafePointer<coffer_call>,
        _ descriptor: Int32,
        offset: Int64,
        length: UInt64
    ) throws(PluginError) -> UInt64 {
        let function = try open(instance.operations.write_ingest, "write_ingest")
        var done: UInt64 = 0
        do throws(PluginError) {
            try instance.perform { function(pointer, call, descriptor, offset, length, &done, $0) }
        } catch {
            guard error.status == COFFER_E_UNSUPPORTED, done > 0 else { throw error }
            throw PluginError(PluginError.brokenRule, "write_ingest took \(done) bytes and is unsupported")
        }
        guard done <= length else {
            throw PluginError(PluginError.brokenRule, "write_ingest took \(done) of \(length) bytes")
        }
        return done
    }

    /// Publishes.
    public func commit(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_commit_args>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try open(instance.operations.write_commit, "write_commit")
        try instance.perform { function(pointer, call, arguments, sink, $0) }
    }
}

/// One listing of a plugin.
public final class ListHandle: StreamHandle, @unchecked Sendable {
    /// Gives up to `limit` entries to `sink` and says whether more may come.
    public func next(
        _ call: UnsafePointer<coffer_call>,
        limit: UInt64,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) -> Bool {
        let function = try open(instance.operations.list_next, "list_next")
        var done: UInt32 = 0
        try instance.perform { function(pointer, call, limit, &done, sink, $0) }
        return done == 0
    }
}
