// How long somebody waits for a socket: until it moves, or they give up, or it has stood still for too long.

import CofferPluginSDK
import Glibc

/// How long somebody waits.
struct Patience {
    /// The call on whose behalf this is; nil for what the plugin does of its own accord.
    private let call: Call?
    /// The latest moment, in nanoseconds of the monotonic clock.
    private let deadline: UInt64?
    /// Readable once nobody wants the result any more; -1 is never.
    private let descriptor: Int32
    /// How long a socket may stand still.
    private let stall: UInt64

    /// The patience of a call, with a socket that may stand still for so many milliseconds.
    init(_ call: Call, stallMilliseconds: UInt64) {
        self.call = call
        deadline = call.deadline
        descriptor = call.cancellationDescriptor ?? -1
        stall = stallMilliseconds * 1_000_000
    }

    /// Waits so long in all, and not after `descriptor` is readable.
    init(milliseconds: UInt64, unless descriptor: Int32 = -1) {
        call = nil
        deadline = monotonicNow() + milliseconds * 1_000_000
        self.descriptor = descriptor
        stall = .max
    }

    /// The same with less patience for a socket that stands still.
    private init(_ other: Patience, stall: UInt64) {
        (call, deadline, descriptor) = (other.call, other.deadline, other.descriptor)
        self.stall = stall
    }

    /// The same, but a socket may stand still for so many milliseconds only.
    func limited(to milliseconds: UInt64) -> Patience { Patience(self, stall: min(stall, milliseconds * 1_000_000)) }

    /// Throws if nobody wants the result any more.
    func check() throws(Fault) {
        if let call { try fatal { () throws(BackendError) in try call.check() } }
        if let deadline, monotonicNow() >= deadline { throw .failed(Self.late) }
        guard call == nil, descriptor >= 0 else { return }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&waiting, 1, 0) > 0 { throw .failed(BackendError(.cancelled, "cancelled")) }
    }

    private static let late = BackendError(.timeout, "the deadline passed", isRetryable: true)

    /// Waits until one of these can be read (or written, for a negative sign of its events).
    func wait(for socket: Int32, toWrite: Bool, _ what: @autoclosure () -> String) throws(Fault) {
        let began = monotonicNow()
        let latest = stall == .max ? UInt64.max : began + stall
        while true {
            try check()
            let now = monotonicNow()
            guard now < latest else {
                throw .failed(BackendError(.timeout, "\(what()): the server stalls", isRetryable: true))
            }
            let left = min(latest, deadline ?? .max) - now
            // Without a descriptor a cancellation is seen by asking again.
            let slice = descriptor < 0 && call != nil ? min(left, 20_000_000) : left
            var waiting = [
                pollfd(fd: socket, events: Int16(toWrite ? POLLOUT : POLLIN), revents: 0),
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&waiting, 2, Int32(min(slice / 1_000_000 + 1, 60_000)))
            if ready > 0, waiting[0].revents != 0 { return }
            if ready < 0, errno != EINTR { throw .lost(errno, "waiting") }
        }
    }

    /// Sleeps for so long, unless nobody wants the result any more.
    func sleep(milliseconds: UInt64) throws(Fault) {
        let end = monotonicNow() + milliseconds * 1_000_000
        while true {
            try check()
            let now = monotonicNow()
            guard now < end else { return }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let slice = min(end - now, descriptor < 0 ? 20_000_000 : 1_000_000_000)
            _ = poll(&waiting, 1, Int32(slice / 1_000_000 + 1))
        }
    }
}
