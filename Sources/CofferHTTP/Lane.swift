import CofferSystem

/// A bound on how many requests of one kind are handled at once, and how many may wait.
///
/// A request that waits holds no thread. A transfer that is parked for a slow client holds no place.
package final class Lane: Sendable {
    package let name: String
    private let places: Locked<Places>

    private struct Places {
        var width: Int
        var queueLimit: Int
        var taken = 0
        var waiting = ConnectionQueue()
    }

    /// What came of asking for a place.
    enum Entry: Sendable {
        case admitted
        /// The connection will be handed to whoever gives a place back.
        case queued
        case full
    }

    package init(name: String, width: Int, queueLimit: Int) {
        self.name = name
        places = Locked(Places(width: width, queueLimit: queueLimit))
    }

    /// Changes how many are handled at once and how many may wait, from the next request on.
    ///
    /// What is being handled goes on, and so does what waits.
    package func resize(width: Int, queueLimit: Int) {
        places.withLock { places in
            places.width = width
            places.queueLimit = queueLimit
        }
    }

    /// How many places are taken.
    package var taken: Int { places.withLock { $0.taken } }

    /// How many requests wait.
    package var waiting: Int { places.withLock { $0.waiting.count } }

    /// Takes a place if one is free.
    ///
    /// `ceiling` is the most that the server's threads allow.
    func enter(ceiling: Int) -> Bool {
        places.withLock { places in
            guard places.taken < min(places.width, ceiling) else { return false }
            places.taken += 1
            return true
        }
    }

    /// Takes a place, or waits for one without a thread.
    ///
    /// Once it is queued the connection belongs to whoever leaves: it must be ready to be handed over before this is called.
    /// A transfer that `resumes` was let in once and is not turned away.
    func enterOrWait(_ connection: Connection, ceiling: Int, resumes: Bool) -> Entry {
        places.withLock { places in
            if places.taken < min(places.width, ceiling) {
                places.taken += 1
                return .admitted
            }
            guard resumes || places.waiting.count < places.queueLimit else { return .full }
            places.waiting.append(connection)
            return .queued
        }
    }

    /// Gives a place back, or rather to the connection that has waited longest: it has entered.
    func leave() -> Connection? {
        places.withLock { places in
            // One place too many after the lane became narrower: this one is not handed on.
            if places.taken <= places.width, let next = places.waiting.popFirst() { return next }
            places.taken -= 1
            return nil
        }
    }
}

/// Connections in the order in which they came.
struct ConnectionQueue {
    private var items: [Connection?] = []
    private var first = 0

    var count: Int { items.count - first }

    mutating func append(_ connection: Connection) { items.append(connection) }

    mutating func popFirst() -> Connection? {
        guard first < items.count else { return nil }
        let connection = items[first]
        items[first] = nil
        first += 1
        // The front is given up once it is the larger part: each item moves once on average.
        if first > 32 && first * 2 > items.count {
            items.removeFirst(first)
            first = 0
        }
        return connection
    }
}
