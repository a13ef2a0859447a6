import CLinux
import Glibc

/// A thread of our own: where calls may block.
///
/// Unchecked because only ``join()`` touches `isJoined`, and one owner calls it.
package final class Thread: @unchecked Sendable {
    private let handle: pthread_t
    private var isJoined = false

    private init(_ handle: pthread_t) { self.handle = handle }

    deinit { if !isJoined { pthread_detach(handle) } }

    /// Starts a thread that runs `body`.
    ///
    /// The stack is reserved, not used: untouched pages cost nothing. Less than 256 KiB is not given.
    /// A thread that nobody joins is let go when this object goes.
    package static func start(
        named name: String,
        stackSize: Int = 512 << 10,
        _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Thread {
        var handle = pthread_t()
        let box = Unmanaged.passRetained(ThreadBody(body))
        let number = coffer_thread_start(&handle, max(stackSize, 256 << 10), name, runThread, box.toOpaque())
        guard number == 0 else {
            box.release()
            throw SystemError("start a thread", number: number)
        }
        return Thread(handle)
    }

    /// Waits until it has ended; once.
    package func join() {
        isJoined = true
        pthread_join(handle, nil)
    }
}

private final class ThreadBody {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}
