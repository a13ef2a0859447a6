// One change of a key at a time, whoever makes it, and none half done.
//
// MongoDB changes one document atomically and holds `_id` unique; more is not to be had of every deployment (transactions
// want a replica set), and a replaced object is two documents of `files`. So a change of a key goes through a document of
// its own:
//
//     (none) ──insert──▶ open ──decide──▶ decided ──carried out, deleted──▶ (none)
//                          └───broken (owner silent for `patience`)───────▶ (none)
//
// 1. Its `_id` is the key: of two that insert it, one is refused. Who has it reads the versions of the key, checks the
//    conditions, and writes down what shall happen. That update is the decision, one atomic step on one document: it finds
//    the claim open and its own, or it does nothing.
// 2. An open claim may be broken by anybody; its owner's decision then finds nothing, and it begins again. A clock decides
//    only how long the others are polite, never who is right.
// 3. A decided claim may be carried out by anybody, also twice and late (see `Change`); nobody can undo it. A writer that
//    is killed after its decision has written, and the next one who comes finishes it.
// 4. A new version lies in `files` already, without a name, when the claim is made. Naming it is what readers see: one
//    atomic step, with an `uploadDate` later than any other of that name. That is the rule by which pymongo finds the
//    newest version, and by which this plugin does.
//
// Programs that write GridFS without this plugin make no claims, and MongoDB has no means to make them: a version that one
// adds is seen as soon as it is there, but not by a change whose conditions were checked just before.

import CGridFS
import CofferPluginSDK
import GridFSModel

/// The claims on the keys of a bucket.
struct Claims {
    let bucket: Bucket

    /// How long an open claim of somebody else is respected.
    private static let openPatience: UInt64 = 5_000_000_000
    /// How long the owner of a decided claim may carry it out alone.
    private static let decidedPatience: UInt64 = 1_000_000_000
    /// How long to wait for a second claim while holding the first.
    private static let turn: UInt64 = 200_000_000
    /// How long a decided change may go on after its caller has given up.
    static let grace: UInt64 = 800

    /// Changes a key: `prepare` gets its versions, the oldest first, checks them, and says what shall happen, or nil.
    ///
    /// What `prepare` throws ends it, with nothing changed.
    func change(
        _ key: ByteString,
        _ patience: Patience,
        _ prepare: ([StoredFile]) throws(BackendError) -> Change?
    ) throws(BackendError) {
        while true {
            let token = makeID()
            try acquire(key, token, patience)
            var change: Change?
            do throws(BackendError) {
                change = try prepare(try versions(of: key, patience))
            } catch {
                release(key, token)
                throw error
            }
            guard let change else {
                release(key, token)
                return
            }
            if try decide(key, token, change, patience) {
                try finish(change, key, token, patience)
                return
            }
        }
    }

    /// Changes two keys at once: `prepare` gets the versions of both, the oldest first.
    ///
    /// The claim on `key` decides for both. That on `other` says whom it follows: without its leader it is void.
    func change(
        _ key: ByteString,
        and other: ByteString,
        _ patience: Patience,
        _ prepare: ([StoredFile], [StoredFile]) throws(BackendError) -> Change
    ) throws(BackendError) {
        while true {
            let token = makeID()
            try acquire(key, token, patience)
            // Who moves the other way round has the other claim and waits for this one: one of the two gives way.
            let change: Change
            do throws(BackendError) {
                guard try acquire(other, token, following: key, within: Self.turn, patience) else {
                    release(key, token)
                    try patience.sleep(milliseconds: UInt64.random(in: 1...20))
                    continue
                }
                change = try prepare(try versions(of: key, patience), try versions(of: other, patience))
            } catch {
                release(key, token)
                release(other, token)
                throw error
            }
            if try decide(key, token, change, patience) {
                try finish(change, key, token, patience)
                return
            }
            release(other, token)
        }
    }

    // MARK: The life of a claim

    static func mine(_ key: ByteString, _ token: ObjectID) -> Document {
        .make {
            $0.append("_id", .string(key.bytes))
            $0.append("token", token)
        }
    }

    static func open(_ key: ByteString, _ token: Value) -> Document {
        .make {
            $0.append("_id", .string(key.bytes))
            $0.append("token", token)
            $0.append("decided", .null)
        }
    }

    /// Makes a claim; false if it could not be had within so many nanoseconds.
    @discardableResult
    private func acquire(
        _ key: ByteString,
        _ token: ObjectID,
        following leader: ByteString = .empty,
        within limit: UInt64 = .max,
        _ patience: Patience
    ) throws(BackendError) -> Bool {
        let claim = Document.make {
            $0.append("_id", .string(key.bytes))
            $0.append("kind", "claim")
            $0.append("token", token)
            $0.append("at", .date(wallMilliseconds()))
            if !leader.isEmpty { $0.append("follows", .string(leader.bytes)) }
        }
        let start = gridfs_monotonic_ns()
        var seen: (token: Value?, since: UInt64) = (nil, 0)
        var pause: UInt64 = 1
        while true {
            do throws(BackendError) {
                try bucket.insert([claim], into: bucket.own, patience)
                return true
            } catch {
                if error.code != .alreadyExists {
                    var error = error
                    if error.isMaybeApplied { release(key, token) }
                    // A claim alone changes nothing.
                    error.isMaybeApplied = false
                    throw error
                }
            }
            guard let present = try find(key, patience) else { continue }
            // The answer to the insertion was lost, and libmongoc has asked again.
            if present["token"] == .objectID(token) { return true }
            let now = gridfs_monotonic_ns()
            if now - start > limit { return false }
            if seen.token == nil || seen.token != present["token"] { seen = (present["token"], now) }
            try settle(key, present, after: now - seen.since, patience)
            try patience.sleep(milliseconds: pause + UInt64.random(in: 0...pause))
            pause = min(pause * 2, 32)
        }
    }

    /// Ends a claim of somebody who has been silent for too long.
    private func settle(
        _ key: ByteString,
        _ claim: Document,
        after silence: UInt64,
        _ patience: Patience
    ) throws(BackendError) {
        guard let token = claim["token"] else { return }
        if let leader = claim["follows"]?.text.map({ ByteString($0) }) {
            // It stands and falls with its leader.
            let present = try find(leader, patience)
            if let present, present["token"] == token {
                try settle(leader, present, after: silence, patience)
            } else {
                try bucket.delete(from: bucket.own, [Self.open(key, token)], patience)
            }
        } else if let decided = claim["decided"]?.fields {
            guard silence >= Self.decidedPatience, let change = Change(decided), case .objectID(let id) = token else {
                return
            }
            try carryOut(change, key, id, patience)
        } else if silence >= Self.openPatience {
            try bucket.delete(from: bucket.own, [Self.open(key, token)], patience)
        }
    }

    /// Ends claims that were made long ago, for keys that nobody asks for.
    func settleOld(before time: Int64, _ patience: Patience) throws(BackendError) {
        let filter = Document.make { filter in
            filter.append("kind", "claim")
            filter.append("at") { $0.append("$lt", .date(time)) }
        }
        for claim in try bucket.find(in: bucket.own, filter, limit: 100, .read, patience) {
            guard let key = claim["_id"]?.text else { continue }
            try settle(ByteString(key), claim, after: .max, patience)
        }
    }

    private func find(_ key: ByteString, _ patience: Patience) throws(BackendError) -> Document? {
        try bucket.find(in: bucket.own, .whose("_id", is: key), limit: 1, .read, patience).first
    }

    private func release(_ key: ByteString, _ token: ObjectID) {
        // A claim that cannot be taken back now is broken later, by whoever wants the key.
        _ = try? bucket.delete(
            from: bucket.own,
            [Self.open(key, .objectID(token))],
            Patience(milliseconds: Self.grace)
        )
    }

    /// Writes down what shall happen; false if the claim was broken.
    private func decide(
        _ key: ByteString,
        _ token: ObjectID,
        _ change: Change,
        _ patience: Patience
    ) throws(BackendError) -> Bool {
        let decision = Document.make { decision in
            decision.append("$set") { $0.append("decided", change.document) }
        }
        do throws(BackendError) {
            let open = Self.open(key, .objectID(token))
            return try bucket.update(in: bucket.own, open, decision, patience, manner: .writeDurably)
        } catch {
            guard error.isMaybeApplied else {
                release(key, token)
                throw error
            }
            if try isDecided(key, token, after: error) { return true }
            var error = error
            error.isMaybeApplied = false
            throw error
        }
    }

    /// Whether a decision whose answer was lost has been made; if it cannot be told, `error` is thrown as it is.
    private func isDecided(
        _ key: ByteString,
        _ token: ObjectID,
        after error: BackendError
    ) throws(BackendError) -> Bool {
        let patience = Patience(milliseconds: Self.grace)
        do throws(BackendError) {
            // What finds it open takes it away: a decision that is still on its way then finds nothing.
            if try bucket.delete(from: bucket.own, [Self.open(key, .objectID(token))], patience) > 0 { return false }
            if try find(key, patience)?["token"] == .objectID(token) { return true }
        } catch {
            // The first error says more.
        }
        throw error
    }
}
