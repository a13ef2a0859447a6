import CLinux
import Glibc

/// Many descriptors to wait for at once, each known by a token.
package final class Epoll: Sendable {
    private let descriptor: Descriptor

    /// What to wait for; hang-up and errors are always told.
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let readable = Interest(rawValue: EPOLLIN.rawValue)
        package static let writable = Interest(rawValue: EPOLLOUT.rawValue)
        /// The peer will send no more.
        package static let peerClosed = Interest(rawValue: EPOLLRDHUP.rawValue)
        /// Told once; silent until asked for again.
        package static let once = Interest(rawValue: EPOLLONESHOT.rawValue)
        /// Both directions are gone; only told, never asked for.
        package static let hungUp = Interest(rawValue: EPOLLHUP.rawValue)
        /// Only told, never asked for.
        package static let failed = Interest(rawValue: EPOLLERR.rawValue)
        /// Of several waiting on one listener, few are woken.
        package static let exclusive = Interest(rawValue: EPOLLEXCLUSIVE.rawValue)
    }

    /// What became of one descriptor.
    package struct Event: Sendable {
        package let token: UInt64
        package let state: Interest
    }

    package init() throws(SystemError) {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { throw SystemError("create an epoll", number: errno) }
        descriptor = Descriptor(owning: number)
    }

    /// Starts waiting for `number`.
    package func add(_ number: Int32, token: UInt64, _ interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_ADD, number, token, interest)
    }

    /// Changes what is waited for, and arms a ``Interest/once`` again.
    package func modify(_ number: Int32, token: UInt64, _ interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_MOD, number, token, interest)
    }

    /// Stops waiting for `number`, as closing its last copy does.
    package func remove(_ number: Int32) throws(SystemError) {
        try control(EPOLL_CTL_DEL, number, 0, [])
    }

    private func control(
        _ operation: Int32,
        _ number: Int32,
        _ token: UInt64,
        _ interest: Interest
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = token
        guard epoll_ctl(descriptor.number, operation, number, &event) == 0 else {
            throw SystemError("watch a descriptor", number: errno)
        }
    }

    /// Calls `body` for each of at most `limit` events; returns how many there were.
    ///
    /// Waits for at most `milliseconds`, for ever with -1. A signal ends the wait with none.
    package func wait(limit: Int = 64, milliseconds: Int32 = -1, _ body: (Event) -> Void) -> Int {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: limit) { events in
            guard let base = events.baseAddress else { return 0 }
            let count = Int(max(0, epoll_wait(descriptor.number, base, Int32(limit), milliseconds)))
            for index in 0..<count {
                body(Event(token: events[index].data.u64, state: Interest(rawValue: events[index].events)))
            }
            return count
        }
    }

    /// The next event; nil when `milliseconds` are over, or a signal came.
    ///
    /// Of several threads that wait here, the one that came last is woken first: its caches are warm.
    package func waitForOne(milliseconds: Int32) -> Event? {
        var event = epoll_event()
        guard epoll_wait(descriptor.number, &event, 1, milliseconds) == 1 else { return nil }
        return Event(token: event.data.u64, state: Interest(rawValue: event.events))
    }
}
