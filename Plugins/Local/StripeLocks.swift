// Locks of keys, respected by every host that shares the root.

import CLocal
import CofferPluginSDK
import Glibc

/// Locks of keys, by stripes.
///
/// A stripe is a mutex among the threads of this instance, and one byte of a lock file among instances, processes and
/// hosts: the byte's lock belongs to the open file, so it would not keep our own threads apart. Waiting ends when the
/// call is cancelled or its deadline passes. The kernel lets the byte go when a process dies.
/// One stripe more, behind those of the keys, belongs to the sidecars that are named by an inode; it is taken last.
final class StripeLocks: @unchecked Sendable {  // The mutexes are what they are; all else is constant.
    private static let count = 257
    private static let sidecars = 256
    private let file: Descriptor
    private let mutexes: UnsafeMutablePointer<pthread_mutex_t>

    /// Locks over the lock file of a root.
    init(file: Descriptor) {
        self.file = file
        mutexes = .allocate(capacity: Self.count)
        for index in 0..<Self.count { pthread_mutex_init(mutexes + index, nil) }
    }

    deinit {
        for index in 0..<Self.count { pthread_mutex_destroy(mutexes + index) }
        mutexes.deallocate()
    }

    /// Runs `body` while nobody else holds the stripes of these keys.
    func locking<R>(
        _ keys: [[UInt8]],
        call: Call,
        _ body: () throws(BackendError) -> R
    ) throws(BackendError) -> R {
        var stripes = keys.map(Self.stripe(of:)).sorted()
        if stripes.count == 2 && stripes[0] == stripes[1] { stripes.removeLast() }
        var held = 0
        defer { for stripe in stripes[..<held].reversed() { unlock(stripe) } }
        for stripe in stripes {
            try lock(stripe, call: call)
            held += 1
        }
        return try body()
    }

    /// Runs `body` under the same locks, and that of the sidecars, if nobody holds any of them now; nil if somebody does.
    func lockingIfFree<R>(_ keys: [[UInt8]], _ body: () -> R) -> R? {
        let stripes = Set(keys.map(Self.stripe(of:))).sorted() + [Self.sidecars]
        var held = 0
        defer { for stripe in stripes[..<held].reversed() { unlock(stripe) } }
        for stripe in stripes {
            guard pthread_mutex_trylock(mutexes + stripe) == 0 else { return nil }
            guard local_lock_byte(file.number, Int64(stripe), 1) == 0 else {
                pthread_mutex_unlock(mutexes + stripe)
                return nil
            }
            held += 1
        }
        return body()
    }

    /// Runs `body` while nobody else writes or sweeps the sidecars that are named by an inode.
    func lockingSidecars<R>(_ body: () throws(Refusal) -> R) throws(Refusal) -> R {
        pthread_mutex_lock(mutexes + Self.sidecars)
        defer { unlock(Self.sidecars) }
        // Held for a few system calls, so nobody waits long.
        var result = local_lock_byte(file.number, Int64(Self.sidecars), 1)
        while result == -EAGAIN {
            local_pause(100)
            result = local_lock_byte(file.number, Int64(Self.sidecars), 1)
        }
        try Refusal.check(result)
        return try body()
    }

    private static func stripe(of key: [UInt8]) -> Int {
        Int(hash(key) % UInt64(sidecars))
    }

    private func lock(_ stripe: Int, call: Call) throws(BackendError) {
        if pthread_mutex_trylock(mutexes + stripe) != 0 {
            while local_mutex_wait(mutexes + stripe, 50) != 0 { try call.check() }
        }
        var pause: UInt32 = 50
        while true {
            let result = local_lock_byte(file.number, Int64(stripe), 1)
            if result == 0 { return }
            do throws(BackendError) {
                guard result == -EAGAIN else { throw Refusal(number: -result).error("cannot lock the root") }
                try call.check()
            } catch {
                pthread_mutex_unlock(mutexes + stripe)
                throw error
            }
            local_pause(pause)
            pause = min(pause * 2, 5_000)
        }
    }

    private func unlock(_ stripe: Int) {
        // Unlocking a byte that is held cannot fail.
        _ = local_lock_byte(file.number, Int64(stripe), 0)
        pthread_mutex_unlock(mutexes + stripe)
    }
}
