// What others left: changes half done, uploads that ended without a word.

import CGridFS
import CofferPluginSDK
import Glibc
import GridFSModel

/// Finishes and clears away what killed processes left, on a thread that lives as long as one round takes.
///
///     resting ──start──▶ sweeping ──done──▶ ended ──start──▶ sweeping
///        └─────────────────── stop ───────────┴─────────────▶ stopped
///
/// 1. At most one thread; it is joined by the next `start`, or by `stop`.
/// 2. `stop` ends a command that waits: it writes to a pipe that every wait watches.
/// 3. Nothing is touched by its name: each upload has an identifier of its own, and is left alone until it has been silent
///    for as long as the operator says.
final class Janitor: @unchecked Sendable {  // Everything that changes is locked.
    private struct State {
        var thread: pthread_t?
        var hasEnded = false
        var isStopped = false
        var due: UInt64 = 0
        /// Read by the waits, written by `stop`.
        var pipe: (Int32, Int32) = (-1, -1)
    }

    private let state = Guarded(State())
    private let bucket: Bucket
    private let abandonedAfter: Int64

    /// How long after a round began the next one is due, in nanoseconds.
    private static let interval: UInt64 = 600_000_000_000
    /// How long ago somebody's change must have begun to be finished by another, in milliseconds.
    private static let settledAfter: Int64 = 60_000
    /// How many findings one look brings.
    private static let batch = 100

    /// Rests.
    init(_ bucket: Bucket, abandonedAfter: Int64) {
        self.bucket = bucket
        self.abandonedAfter = abandonedAfter
    }

    /// Starts a round, if one is due: called by every operation.
    func startIfDue() {
        state.withLock { state in
            guard !state.isStopped, gridfs_monotonic_ns() >= state.due, state.thread == nil || state.hasEnded else {
                return
            }
            state.due = gridfs_monotonic_ns() + Self.interval
            Self.join(&state)
            start(&state)
        }
    }

    /// Ends the round, and lets none begin.
    func stop() {
        let writing = state.withLock { state in
            state.isStopped = true
            return state.pipe.1
        }
        // The pipe is empty and ours: a byte fits.
        if writing >= 0 { _ = write(writing, "x", 1) }
        var last = state.withLock { state in
            defer { state.thread = nil }
            return state
        }
        Self.join(&last)
        state.withLock { $0.pipe = (-1, -1) }
    }

    private static func join(_ state: inout State) {
        if let thread = state.thread { pthread_join(thread, nil) }
        if state.pipe.0 >= 0 {
            close(state.pipe.0)
            close(state.pipe.1)
        }
        state.thread = nil
        state.pipe = (-1, -1)
    }

    private func start(_ state: inout State) {
        var ends: [Int32] = [-1, -1]
        // Without a pipe or a thread nothing is swept now; the next round is due as ever.
        guard gridfs_pipe(&ends) else { return }
        state.pipe = (ends[0], ends[1])
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 << 10)
        // Signals are the host's: none may choose this thread.
        var (everything, before) = (sigset_t(), sigset_t())
        sigfillset(&everything)
        pthread_sigmask(SIG_SETMASK, &everything, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let work = Unmanaged.passRetained(Work(self, endedBy: ends[0]))
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context else { return nil }
                gridfs_name_thread("gridfs-sweep")
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            work.toOpaque()
        )
        guard result == 0 else {
            work.release()
            Self.join(&state)
            return
        }
        state.thread = thread
        state.hasEnded = false
    }

    /// What the thread does.
    private final class Work {
        private let janitor: Janitor
        private let descriptor: Int32

        init(_ janitor: Janitor, endedBy descriptor: Int32) {
            self.janitor = janitor
            self.descriptor = descriptor
        }

        func run() {
            // What cannot be done now, because the server is away or forbids it, is done in a later round.
            try? janitor.sweep { Patience(milliseconds: 30_000, endedBy: self.descriptor) }
            janitor.state.withLock { $0.hasEnded = true }
        }
    }

    // MARK: One round

    private func sweep(_ patience: () -> Patience) throws(BackendError) {
        let now = wallMilliseconds()
        try Claims(bucket: bucket).settleOld(before: now - Self.settledAfter, patience())
        let abandoned = now - min(abandonedAfter, now)
        try sweepHidden(before: abandoned, patience)
        try doomSilent(before: abandoned, patience)
        try clearDoomed(before: now - Self.settledAfter, patience)
    }

    /// Commits that were cut off before their decision: documents without a name, and their chunks.
    private func sweepHidden(before time: Int64, _ patience: () -> Patience) throws(BackendError) {
        let filter = Document.make { filter in
            filter.append("filename", .null)
            filter.append("coffer.hidden") { $0.append("$lt", .date(time)) }
        }
        let found = try bucket.find(in: bucket.files, filter, only: ["_id"], limit: Self.batch, .read, patience())
        for id in found.compactMap({ $0["_id"] }) {
            let trash = Trash(bucket: bucket)
            // The note comes first, so that chunks are never without a word about them.
            try trash.announce([id], patience())
            if try bucket.delete(from: bucket.files, [Bucket.hidden(id)], patience()) > 0 {
                try trash.clear([id], patience())
            } else {
                try trash.forget(id, patience())
            }
        }
    }

    /// Uploads that went silent: from now on their writers cannot commit any more.
    private func doomSilent(before time: Int64, _ patience: () -> Patience) throws(BackendError) {
        let silent = Document.make { filter in
            filter.append("kind", "chunks")
            filter.append("doomed", .null)
            filter.append("at") { $0.append("$lt", .date(time)) }
        }
        let doom = Document.make { change in change.append("$set") { $0.append("doomed", true) } }
        while try bucket.update(in: bucket.own, silent, doom, patience()) {}
    }

    /// Chunks that nobody will ever want.
    private func clearDoomed(before time: Int64, _ patience: () -> Patience) throws(BackendError) {
        let filter = Document.make { filter in
            filter.append("kind", "chunks")
            filter.append("doomed", true)
            filter.append("at") { $0.append("$lt", .date(time)) }
        }
        for note in try bucket.find(in: bucket.own, filter, limit: Self.batch, .read, patience()) {
            guard let id = note["_id"]?.fields?["chunks"] else { continue }
            let present = try bucket.find(
                in: bucket.files,
                .whose("_id", is: id),
                only: ["filename"],
                limit: 1,
                .read,
                patience()
            )
            let trash = Trash(bucket: bucket)
            if present.isEmpty {
                try trash.clear([id], patience())
            } else if present.contains(where: { $0["filename"]?.text != nil }) {
                // It was published after all; a change that takes it away makes a note of its own.
                try trash.forget(id, patience())
            }
            // One without a name is swept when it has been silent for long enough.
        }
    }
}
