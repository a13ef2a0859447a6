import CCofferPlugin
import CofferLoader
import Glibc
import Synchronization

// The host that plugins under test see: it logs nowhere, cancels on demand and answers options.

/// The cancellation of one call, seen by the plugin through `cancelled` and `cancel_fd`.
final class Cancellation: Sendable {
    private let flag = Atomic(false)
    private let pipeEnds = Guarded<(read: Int32, write: Int32)?>(nil)

    deinit {
        pipeEnds.withLock { ends in
            guard let ends else { return }
            close(ends.read)
            close(ends.write)
        }
    }

    /// Runs `body` with what `coffer_call.token` points to: the loader's own form, so that a plugin may keep the table of
    /// either host.
    func withToken<Result>(_ body: (UnsafeMutableRawPointer) -> Result) -> Result {
        var token = CallToken(
            object: UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()),
            isCancelled: { Cancellation.found($0).isCancelled ? 1 : 0 },
            descriptor: { Cancellation.found($0).descriptor }
        )
        return withExtendedLifetime(self) { withUnsafeMutablePointer(to: &token) { body(UnsafeMutableRawPointer($0)) } }
    }

    private static func found(_ pointer: UnsafeRawPointer?) -> Cancellation {
        guard let pointer else { return Cancellation() }
        return Unmanaged<Cancellation>.fromOpaque(pointer).takeUnretainedValue()
    }

    var isCancelled: Bool { flag.load(ordering: .acquiring) }

    func cancel() {
        flag.store(true, ordering: .releasing)
        pipeEnds.withLock { ends in
            guard let ends else { return }
            var byte: UInt8 = 1
            // The pipe is empty, so one byte always fits; the flag tells the same.
            _ = write(ends.write, &byte, 1)
        }
    }

    /// A descriptor that becomes readable once cancelled.
    var descriptor: Int32 {
        pipeEnds.withLock { ends in
            if let ends { return ends.read }
            var made: [Int32] = [-1, -1]
            guard pipe(&made) == 0 else { return -1 }
            for end in made {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
            ends = (made[0], made[1])
            if isCancelled {
                var byte: UInt8 = 1
                _ = write(made[1], &byte, 1)
            }
            return made[0]
        }
    }
}

/// What the suite's host knows of an instance: `coffer_open_args.host_instance` points here.
final class InstanceRecord: Sendable {
    let options: [(Name, Name)]
    init(options: [(Name, Name)]) { self.options = options }
}

/// The table that is given to the entry point.
enum SuiteHost {
    // Filled once, then only read, and kept until the process ends, as the ABI promises.
    nonisolated(unsafe) static let table: UnsafePointer<coffer_host> = makeTable(size: MemoryLayout<coffer_host>.size)

    /// A table that claims to be `size` bytes long: what an older host would pass, or a newer one.
    static func makeTable(size: Int) -> UnsafePointer<coffer_host> {
        var host = coffer_host()
        host.struct_size = UInt32(size)
        host.abi = COFFER_ABI_CURRENT
        host.name = staticString("coffer-conformance")
        host.version = staticString("1.0")
        host.log_enabled = { _, _ in 0 }
        host.log = { _, _, _, _ in }
        host.cancelled = { _, token in
            guard let token = token?.assumingMemoryBound(to: CallToken.self) else { return 0 }
            return token.pointee.isCancelled(token.pointee.object)
        }
        host.cancel_fd = { _, token in
            guard let token = token?.assumingMemoryBound(to: CallToken.self) else { return -1 }
            return token.pointee.descriptor(token.pointee.object)
        }
        host.config_get = { _, instance, key, sink in
            guard let instance, let sink, let onValue = sink.pointee.on_value else { return COFFER_E_INVALID_ARGUMENT }
            let record = Unmanaged<InstanceRecord>.fromOpaque(instance).takeUnretainedValue()
            let wanted = Name(bytes(key))
            guard let option = record.options.first(where: { $0.0 == wanted }) else { return COFFER_E_NOT_FOUND }
            let arena = Arena()
            return onValue(sink.pointee.ctx, COFFER_VAL_CONFIG, key, arena.string(option.1)) == 0
                ? COFFER_OK : COFFER_E_CANCELLED
        }
        host.metric = { _, _, _, _, _, _, _ in }
        host.get_extension = { _, _ in nil }
        let place = UnsafeMutablePointer<coffer_host>.allocate(capacity: 1)
        place.initialize(to: host)
        return UnsafePointer(place)
    }

    private static func staticString(_ text: String) -> UnsafePointer<CChar>? {
        guard let copy = strdup(text) else { return nil }
        return UnsafePointer(copy)
    }
}
