// The storage itself: what it is, and how it comes to its store. What it does stands in the files beside this one.
package import CofferBackend
package import CofferModel
package import CofferSystem
import Synchronization

/// A configured, named instance of a backend: what applications address.
///
/// The storage stands between callers and the store, and holds what is true of every backend: policy, keys and their
/// prefix, the meaning of `on_conflict`, digests, idempotency, cursors. Everything blocks, on the caller's thread.
///
/// Invariants:
/// 1. Nothing is written before everything that can be refused without the body has been refused.
/// 2. No key, message or cursor that leaves here carries the policy's prefix.
/// 3. Readers, writers and listings keep the opened store alive; it is closed after the last of them has gone.
package final class Storage: Sendable {
    package let name: String
    /// The backend's id: `local`, `s3`.
    package let backendID: String
    package let isDefault: Bool
    /// Made at run time, and gone with the host.
    package let isEphemeral: Bool
    /// The number of the generation that it was built for.
    package let generation: Int
    package let policy: StoragePolicy

    /// How a storage comes to a store that it may share with the storages of other generations.
    package typealias Opener = @Sendable (EmulationOptions) throws(CofferError) -> EmulatedBackend

    /// What is open, or why nothing is.
    ///
    /// A store whose grades do not suffice stays in ``candidate``, so that a probe can still prove them.
    private struct Slot {
        var backend: EmulatedBackend?
        var candidate: EmulatedBackend?
        var failure: CofferError?
        var failures = 0
        var nextTry: MonotonicTime?
    }

    private let slot = Locked(Slot())
    /// The policy's prefix with its slash.
    private let folder: String
    private let opener: Opener
    private let closer: @Sendable (@escaping @Sendable () -> Void) -> Void
    private let spillDirectory: String
    private let proven: Locked<[Capability]>
    private let memory = Locked(StorageMemory())
    let listings = OpenListings()
    /// The container that is made if it is missing.
    let ownContainer: OwnContainer?
    /// Whether the store takes one call at a time; known once it was open.
    private let isSerial = Atomic<Bool>(false)

    /// Comes to a store by `opener`, which gives one that is open or opens it, and checks that it can do what `policy` needs.
    ///
    /// A store that cannot be opened leaves a storage in ``StorageState/failed(_:)``; ``retry()`` asks `opener` again.
    /// `closer` gets the work of closing a store that nobody uses any more, and may do it on another thread.
    /// `proven` are conditions that an earlier ``probe(_:)`` has proven, for whoever keeps that. `container` is made by
    /// ``settle(now:)`` if it is missing.
    package init(
        name: String,
        backendID: String,
        isDefault: Bool = false,
        isEphemeral: Bool = false,
        generation: Int,
        policy: StoragePolicy = StoragePolicy(),
        container: String? = nil,
        proven: [Capability] = [],
        spillDirectory: String = "/tmp",
        closer: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() },
        opener: @escaping Opener
    ) {
        self.name = name
        self.backendID = backendID
        self.isDefault = isDefault
        self.isEphemeral = isEphemeral
        self.generation = generation
        self.policy = policy
        folder = policy.prefix.isEmpty ? "" : policy.prefix + "/"
        self.proven = Locked(proven)
        self.spillDirectory = spillDirectory
        self.closer = closer
        self.opener = opener
        ownContainer = policy.isReadOnly ? nil : container.map { OwnContainer(name: $0) }
        _ = retry()
    }

    deinit { listings.closeAll() }

    /// Whether it can be used.
    package var state: StorageState {
        slot.withLock { slot in
            slot.backend == nil ? .failed(slot.failure ?? CofferError(.unavailable, "not open")) : .open
        }
    }

    /// What does not work although the storage can be used; nil where all is well.
    package var warning: CofferError? { ownContainer?.failure }

    /// When something that failed should be tried again by ``settle(now:)``; nil where all is well.
    package var nextTry: MonotonicTime? {
        let (isOpen, opening) = slot.withLock { ($0.backend != nil, $0.nextTry) }
        return isOpen ? ownContainer?.nextTry : opening
    }

    /// How many requests of one kind are worth handling at once; nil for the host's own number.
    ///
    /// With a store that takes one call at a time, one request is in the store while another one moves bytes to or from
    /// its client; a third would do nothing but hold a thread.
    package var concurrency: Int? {
        guard isSerial.load(ordering: .relaxed) else { return policy.concurrency }
        return min(2, policy.concurrency ?? 2)
    }

    /// Tries to open a failed storage again, now; true if it is open afterwards.
    package func retry(now: MonotonicTime = .now) -> Bool {
        if slot.withLock({ $0.backend != nil }) { return true }
        var candidate: EmulatedBackend?
        do throws(CofferError) {
            try KeySpace.check(policy.prefix)
            let backend = try opener(options)
            candidate = backend
            if policy.conditions != .none { backend.learn(kept: proven.withLock { $0 }) }
            try GradeCheck.check(policy, backend.capabilities, storage: name)
            isSerial.store(backend.isSerial, ordering: .relaxed)
            slot.withLock { slot in
                if slot.backend == nil { slot = Slot(backend: backend) }
            }
            return true
        } catch {
            let failed = candidate
            let failure = error.located(storage: name)
            return slot.withLock { slot in
                // Another thread may have had more luck meanwhile.
                guard slot.backend == nil else { return true }
                let failures = slot.failures + 1
                slot = Slot(
                    candidate: failed,
                    failure: failure,
                    failures: failures,
                    nextTry: Self.nextTry(after: failures, now)
                )
                return false
            }
        }
    }

    /// When to try again: one second, doubled with each failure, a minute at most.
    static func nextTry(after failures: Int, _ now: MonotonicTime) -> MonotonicTime {
        now.advanced(milliseconds: min(60, 1 << min(failures - 1, 6)) * 1000)
    }

    private var options: EmulationOptions {
        EmulationOptions(
            isExclusiveWriter: policy.writers == .exclusive,
            refusesConditions: policy.conditions == .none,
            spillDirectory: spillDirectory,
            closer: closer
        )
    }

    var idempotency: IdempotencyTable { memory.withLock { $0 }.idempotency }
    var reservedNames: Locked<Set<Key>> { memory.withLock { $0 }.reservedNames }
    var findings: Locked<[ProbeFinding]?> { memory.withLock { $0 }.findings }

    /// Takes over what `old` remembers, if both stand before the same store: for the successor in the next generation.
    func inherit(from old: Storage) {
        guard let store = slot.withLock({ $0.backend }), store === old.slot.withLock({ $0.backend }),
            policy.prefix.utf8.elementsEqual(old.policy.prefix.utf8)
        else { return }
        let remembered = old.memory.withLock { $0 }
        memory.withLock { $0 = remembered }
    }

    /// The open store.
    ///
    /// - Throws: ``CofferError`` with `unavailable` and the reason where it could not be opened.
    func backend() throws(CofferError) -> EmulatedBackend {
        let (backend, failure) = slot.withLock { ($0.backend, $0.failure) }
        guard let backend else {
            throw CofferError(
                .unavailable,
                "storage \(name) is not open: \(failure?.message ?? "it was not opened")",
                storage: name,
                isRetryable: true
            )
        }
        return backend
    }

    /// The store to probe: the open one, or one whose grades did not suffice.
    func backendToProbe() throws(CofferError) -> EmulatedBackend {
        if let candidate = slot.withLock({ $0.candidate }) { return candidate }
        return try backend()
    }

    /// Takes conditions for what a probe found them to be, and opens a storage that failed for want of them.
    func accept(_ findings: [ProbeFinding], of backend: EmulatedBackend) {
        func capabilities(_ verdict: ProbeFinding.Verdict) -> [Capability] {
            findings.filter { $0.verdict == verdict }.map(\.capability)
        }
        let (kept, ignored) = (capabilities(.kept), capabilities(.ignored))
        backend.learn(kept: kept, ignored: ignored)
        proven.withLock { proven in
            proven.removeAll { ignored.contains($0) || kept.contains($0) }
            proven += kept
        }
        slot.withLock { slot in
            guard slot.candidate === backend else { return }
            do throws(CofferError) {
                try GradeCheck.check(policy, backend.capabilities, storage: name)
                slot = Slot(backend: backend)
                isSerial.store(backend.isSerial, ordering: .relaxed)
            } catch {
                slot.failure = error
            }
        }
    }

    /// The conditions that a probe has proven, for whoever builds the storage again.
    package var provenConditions: [Capability] { proven.withLock { $0 } }

    /// What anybody may know of it.
    package var description: StorageDescription {
        let (backend, candidate) = slot.withLock { ($0.backend, $0.candidate) }
        let shown = backend ?? candidate
        var capabilities = shown?.capabilities ?? Capabilities()
        if policy.url != nil, !capabilities.has(.publicURL) {
            capabilities[.publicURL] = Capabilities.Entry(.emulated, reason: "built from the storage's url")
        }
        return StorageDescription(
            name: name,
            backend: backendID,
            isDefault: isDefault,
            isEphemeral: isEphemeral,
            state: state,
            capabilities: capabilities,
            limits: shown?.limits ?? StoreLimits(),
            generation: generation,
            policy: policy,
            warning: warning,
            findings: findings.withLock { $0 }
        )
    }

    /// Closes listings that nobody came back for; for the host's clock.
    package func sweep() { listings.sweep() }

    /// The keys of callers and those of `backend`.
    func keys(_ backend: EmulatedBackend) -> KeySpace {
        KeySpace(folder: folder, storage: name, keyLimit: backend.limits.keyLength)
    }

    /// The call with this storage's own step time-out, where it has one: for the steps of streams that it opened.
    package func timed(_ call: Call) -> Call {
        guard let own = policy.stepTimeout else { return call }
        var call = call
        call.stepTimeout = min(own, call.stepTimeout ?? own)
        return call
    }
}

/// What a storage remembers of requests that are over or under way.
final class StorageMemory: Sendable {
    let idempotency = IdempotencyTable()
    /// Names that writes with `rename` are about to take.
    let reservedNames = Locked<Set<Key>>([])
    /// What the last probe found; nil before the first.
    let findings = Locked<[ProbeFinding]?>(nil)
}
