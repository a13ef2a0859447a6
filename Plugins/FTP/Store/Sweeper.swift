// What killed writers left on the server, removed when nobody is waiting.

import CFTP
import CofferPluginSDK
import Glibc

/// Sweeps on a thread of its own, over a connection that is idle.
///
///     resting ──first use, or an hour later──▶ waiting for an idle connection ──▶ sweeping ──▶ resting
///        └──────────────────────────── stop ───────────────────────────────────────┴──▶ stopped
///
/// 1. A file goes if the process that uploaded it ran on this machine and runs no more, or if it is older than
///    `leftovers_after`. Who uploads is in the file's name: nothing is removed by the name of an object.
/// 2. At most one thread; `stop` joins it, within a fraction of a second.
final class Sweeper: Sendable {
    private struct State {
        var thread: pthread_t?
        var hasEnded = false
        var isStopped = false
        var due: UInt64 = 0
    }

    private static let interval: UInt64 = 3_600_000_000_000
    private static let patienceMilliseconds: UInt64 = 60_000

    private let state = Guarded(State())
    /// Readable once the sweep is to stop.
    private let stopper: Int32 = ftp_event()

    /// Rests.
    init() {}

    deinit { if stopper >= 0 { close(stopper) } }

    /// Starts a sweep if one is due; called after whatever worked.
    func startIfDue(_ store: Store) {
        state.withLock { state in
            let now = monotonicNow()
            guard now >= state.due, !state.isStopped, state.thread == nil || state.hasEnded else { return }
            state.due = now + Self.interval
            if let ended = state.thread { pthread_join(ended, nil) }
            state.thread = makeThread(store)
            state.hasEnded = false
        }
    }

    /// Ends the sweep, and lets none begin.
    func stop() {
        let thread = state.withLock { state in
            state.isStopped = true
            defer { state.thread = nil }
            return state.thread
        }
        // Without a descriptor the patience ends the sweep.
        if stopper >= 0 { ftp_signal(stopper) }
        if let thread { pthread_join(thread, nil) }
    }

    private final class Work: Sendable {
        let sweeper: Sweeper
        let store: Store

        init(_ sweeper: Sweeper, _ store: Store) { (self.sweeper, self.store) = (sweeper, store) }
    }

    private func makeThread(_ store: Store) -> pthread_t? {
        let work = Unmanaged.passRetained(Work(self, store))
        var thread = pthread_t()
        let result = withSignalsBlocked {
            pthread_create(
                &thread,
                nil,
                { context in
                    guard let context else { return nil }
                    let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                    work.sweeper.run(work.store)
                    work.sweeper.state.withLock { $0.hasEnded = true }
                    return nil
                },
                work.toOpaque()
            )
        }
        guard result == 0 else {
            work.release()  // Without a thread nothing is swept now; the next sweep is due as ever.
            return nil
        }
        return thread
    }

    private func run(_ store: Store) {
        let patience = Patience(milliseconds: Self.patienceMilliseconds, unless: stopper)
        do throws(Fault) {
            for _ in 0..<100 {
                try patience.sleep(milliseconds: 200)
                guard let control = store.pool.takeIdle() else { continue }
                defer { store.pool.returnIdle(control) }
                try sweep(store, control, patience)
                return
            }
        } catch {
            // What could not be swept now is found by the next sweep.
        }
    }

    private func sweep(_ store: Store, _ control: Control, _ patience: Patience) throws(Fault) {
        let directory = store.path(Names.reserved)
        let oldest = wallClock() - store.settings.sweepNanoseconds
        var doomed: [[UInt8]] = []
        try DirectoryReader(control).forEach(in: directory, patience) { facts, name in
            guard facts.kind == .file, let session = SessionName(fileName: name) else { return true }
            let isOld = facts.modified != Entry.unknownTime && facts.modified < oldest
            if isOld || session.hasEnded(seenFrom: store.session) { doomed.append(Array(name)) }
            return doomed.count < 10_000
        }
        for name in doomed {
            let command = try store.command("DELE", directory + [UInt8(ascii: "/")] + name)
            _ = try control.ask(command, patience)
        }
    }
}
