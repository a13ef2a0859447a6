// The children of one instance: as many as there are calls at once, and no more than allowed.

import CofferJSON
import CofferPluginSDK
import Glibc

/// A child in the hands of one call, or of one read.
final class Loan {
    /// The child.
    let child: Child
    private let pool: Pool
    private let purpose: Pool.Purpose
    /// Whether it answered somebody before.
    private let isSeasoned: Bool
    private var isOver = false

    fileprivate init(_ child: Child, _ pool: Pool, _ purpose: Pool.Purpose, isSeasoned: Bool) {
        self.isSeasoned = isSeasoned
        self.child = child
        self.pool = pool
        self.purpose = purpose
    }

    deinit { end() }

    /// Whether the child may have been dead before it was asked, so that the question is worth another one.
    var wasStale: Bool { isSeasoned && child.hasEnded }

    /// Gives the child back if it can be asked again; otherwise it is ended.
    func end() {
        guard !isOver else { return }
        isOver = true
        if child.isBusy { child.end() }
        pool.giveBack(child.isBusy ? nil : child, purpose)
    }
}

/// The children of one instance.
///
/// A child that is idle is lent to one call; one that failed in the midst of a call is ended, and the next call starts
/// another. A read holds its child until its last byte, so reads never hold them all.
final class Pool: Sendable {
    // Unchecked because a child is touched only by who took it out of here, or under the mutex.
    private struct State: @unchecked Sendable {
        var idle: [Child] = []
        var lent = 0
        var reading = 0
        var isClosed = false
        var facts = JSONObject()
    }

    /// What a child is wanted for.
    enum Purpose { case question, reading }

    private let launcher: Launcher
    private let most: Int
    private let state = Guarded(State())

    init(_ launcher: Launcher) {
        self.launcher = launcher
        most = launcher.configuration.processes
    }

    /// A child for one call, or for one read.
    func take(_ purpose: Purpose, call: Call) throws(BackendError) -> Loan {
        while true {
            try call.check()
            var child: Child?
            var isTaken = false
            let isOver = state.wait(until: monotonicNow() + 20_000_000) { state in
                if state.isClosed { return true }
                guard state.lent < most, purpose == .question || state.reading < most - 1 else { return false }
                child = state.idle.popLast()
                state.lent += 1
                if purpose == .reading { state.reading += 1 }
                isTaken = true
                return true
            }
            guard isTaken else {
                if isOver { throw BackendError(.unavailable, "the storage is closed") }
                continue
            }
            if let child, child.isAlive { return Loan(child, self, purpose, isSeasoned: true) }
            child?.end()
            do {
                let (child, facts) = try launcher.start(call: call)
                state.withLock { $0.facts = facts }
                return Loan(child, self, purpose, isSeasoned: false)
            } catch {
                giveBack(nil, purpose)
                throw error
            }
        }
    }

    /// Takes a child back; nil is one that was ended.
    fileprivate func giveBack(_ child: Child?, _ purpose: Purpose) {
        let isWanted = state.withLock { state in
            state.lent -= 1
            if purpose == .reading { state.reading -= 1 }
            if let child, !state.isClosed {
                state.idle.append(child)
                return true
            }
            return false
        }
        if !isWanted { child?.end() }
        state.wake(all: true)
    }

    /// Asks a child for the first frame of an answer; one that died while it was idle is replaced.
    func begin(
        _ question: Question,
        _ purpose: Purpose,
        descriptor: Int32 = -1,
        silence: UInt64,
        call: Call
    ) throws(BackendError) -> (Loan, Answer) {
        while true {
            let loan = try take(purpose, call: call)
            do {
                try loan.child.ask(question, descriptor: descriptor, call: call)
                return (loan, try loan.child.answer(to: question.doing, silence: silence, call: call))
            } catch {
                loan.end()
                guard loan.wasStale && question.isRepeatable else { throw question.told(error) }
            }
        }
    }

    /// Asks one question of a child, and hands over the frames of the answer until the last.
    ///
    /// `patience` is how much longer than usual it may be silent, in nanoseconds.
    func ask(
        _ question: Question,
        descriptor: Int32 = -1,
        patience: UInt64 = 0,
        call: Call,
        _ frame: (Answer) throws(BackendError) -> Void = { _ throws(BackendError) in }
    ) throws(BackendError) -> Answer {
        let silence = launcher.configuration.stallTimeout + patience
        var (loan, answer) = try begin(question, .question, descriptor: descriptor, silence: silence, call: call)
        defer { loan.end() }
        while !answer.isLast {
            try frame(answer)
            answer = try loan.child.answer(to: question.doing, silence: silence, call: call)
        }
        return answer
    }

    /// What the last child that was started tells of itself.
    var facts: JSONObject { state.withLock { $0.facts } }

    /// Ends all children.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        idle.forEach { $0.end() }
        state.wake(all: true)
    }
}
