package import CofferModel
import CofferSystem
import Synchronization

/// A store with everything on top of it that the host may safely add.
///
/// What it promises beyond the port:
/// 1. ``capabilities`` says of each ability whether the store or the host provides it, or why neither does.
/// 2. Conditions that it keeps itself hold against everything that goes through this object, whether conditional or
///    not: each change takes the key's lock from the check to the act, and never across a caller's body.
/// 3. A read gives exactly the bytes that it promised, or an error.
/// 4. Listings come in byte order.
/// 5. Its streams keep it alive; the store is closed when the last of them and of its other holders has gone.
package final class EmulatedBackend: Backend {
    let bare: any Backend
    /// The store itself, for whoever wants to see what it does alone.
    package var bareStore: any Backend { bare }
    let options: EmulationOptions
    let native: NativeAbilities
    /// Conditions on changes that the store keeps itself; a probe may add one, or strike one.
    private let provenConditions: Atomic<UInt8>
    /// What the store says of itself, as far as no probe knows better, and the grades that come of it.
    private let grades: Locked<(store: Capabilities, all: Capabilities)>
    private let isClosed = Atomic<Bool>(false)
    private let isContainerThere = Atomic<Bool>(false)
    private let locks = KeyLocks()
    /// Whether changes take the lock of their key: somebody's condition may be between check and act.
    let locksChanges: Bool

    /// Puts the host on top of `bare`, which is its own from now on.
    package init(_ bare: any Backend, _ options: EmulationOptions = EmulationOptions()) {
        self.bare = bare
        var options = options
        options.mustNotEmulate.formUnion(bare.mustNotEmulate)
        self.options = options
        let declared = bare.capabilities
        native = NativeAbilities(declared)
        let result = declared.emulated(options)
        grades = Locked((declared, result))
        provenConditions = Atomic(WriteCondition.mask(native: result))
        locksChanges = WriteCondition.allCases.contains { condition in
            result[condition.capability].grade == .emulated && options.isExclusiveWriter
        }
    }

    deinit {
        if isClosed.load(ordering: .acquiring) { return }
        let bare = bare
        options.closer { bare.close() }
    }

    /// The grades of the whole, each with its reason where it is not native.
    package var capabilities: Capabilities { grades.withLock { $0.all } }

    /// The store's limits.
    package var limits: StoreLimits { bare.limits }

    /// Whether the store takes one call at a time.
    package var isSerial: Bool { bare.isSerial }

    /// Whether the container that it was opened for is known to be there; whoever makes or removes it says so.
    package var hasOwnContainer: Bool {
        get { isContainerThere.load(ordering: .acquiring) }
        set { isContainerThere.store(newValue, ordering: .releasing) }
    }

    /// Whether objects keep a content type of their own.
    package var keepsContentType: Bool { native.contentType }

    /// Takes what a probe has seen for true from now on: conditions that the store keeps, and others that it ignores.
    package func learn(kept: [Capability], ignored: [Capability] = []) {
        grades.withLock { grades in
            for condition in WriteCondition.allCases.map(\.capability) {
                if kept.contains(condition) {
                    grades.store[condition] = Capabilities.Entry(.native)
                    grades.store.unproven.remove(condition)
                } else if ignored.contains(condition) {
                    grades.store[condition] = Capabilities.Entry(.none)
                    grades.store.unproven.remove(condition)
                }
            }
            grades.all = grades.store.emulated(options)
            provenConditions.store(WriteCondition.mask(native: grades.all), ordering: .releasing)
        }
    }

    /// Whether the store keeps `condition` itself.
    func provenKeeps(_ condition: WriteCondition) -> Bool {
        provenConditions.load(ordering: .acquiring) & condition.mask != 0
    }

    /// Who keeps a condition.
    func keeper(of condition: WriteCondition) throws(CofferError) -> ConditionKeeper {
        if provenKeeps(condition) { return .store }
        let entry = capabilities[condition.capability]
        if entry.grade == .emulated { return .host }
        throw CofferError(
            .unsupported,
            "\(condition.capability.rawValue) is not to be had here: \(entry.reason ?? "the store cannot")"
        )
    }

    /// Refuses what the store cannot do and says that the host must not do for it.
    func standIn(for capability: Capability, key: Key? = nil) throws(CofferError) {
        guard options.mustNotEmulate.contains(capability) else { return }
        let entry = capabilities[capability]
        throw CofferError(
            .unsupported,
            "\(capability.rawValue) is not to be had here: \(entry.reason ?? "the store cannot")",
            key: key
        )
    }

    /// Runs a change of `key` alone among the changes of that key, where that matters.
    func changing<Result>(
        _ key: Key,
        _ call: Call,
        _ body: () throws(CofferError) -> Result
    ) throws(CofferError) -> Result {
        locksChanges ? try locks.withLock(key, call, body) : try body()
    }

    /// Runs a change of two keys alone among the changes of either, where that matters.
    func changing<Result>(
        _ first: Key,
        _ second: Key,
        _ call: Call,
        _ body: () throws(CofferError) -> Result
    ) throws(CofferError) -> Result {
        locksChanges ? try locks.withLocks(first, second, call, body) : try body()
    }

    /// Passes on to the store.
    package func health(_ call: Call) throws(CofferError) -> [(name: String, value: String)] { try bare.health(call) }

    /// Passes on to the store.
    package func publicURL(of key: Key, _ call: Call) throws(CofferError) -> String {
        try bare.publicURL(of: key, call)
    }

    /// Passes on to the store.
    package func presign(_ request: PresignRequest, _ call: Call) throws(CofferError) -> PresignedURL {
        try bare.presign(request, call)
    }

    /// Passes on to the store.
    package func listContainers(_ call: Call) throws(CofferError) -> [Container] { try bare.listContainers(call) }

    /// Passes on to the store.
    package func makeContainer(_ name: String, _ call: Call) throws(CofferError) { try bare.makeContainer(name, call) }

    /// Passes on to the store.
    package func removeContainer(_ name: String, _ call: Call) throws(CofferError) {
        try bare.removeContainer(name, call)
    }

    /// Passes on to the store.
    package func usage(_ call: Call) throws(CofferError) -> [(name: String, value: Int64)] { try bare.usage(call) }

    /// Closes the store now, for whoever knows that nobody uses it any more.
    package func close() {
        if !isClosed.exchange(true, ordering: .acquiringAndReleasing) { bare.close() }
    }
}

/// The abilities of a store that the host looks at with every call.
struct NativeAbilities: Sendable {
    let stat, read, readRange, readCondition, readPinned, write, remove, removeBatch: Bool
    let contentType: Bool
    let list, listDelimiter, listAfter, listSorted, copy, copyMetadata, move: Bool

    init(_ declared: Capabilities) {
        func has(_ capability: Capability) -> Bool { declared[capability].grade == .native }
        stat = has(.stat)
        read = has(.read)
        readRange = has(.readRange)
        readCondition = has(.readCondition)
        readPinned = has(.readPinned)
        write = has(.write)
        remove = has(.remove)
        removeBatch = has(.removeBatch)
        contentType = has(.contentType)
        list = has(.list)
        listDelimiter = has(.listDelimiter)
        listAfter = has(.listAfter)
        listSorted = has(.listSorted)
        copy = has(.copy)
        copyMetadata = has(.copyMetadata)
        move = has(.move)
    }
}

/// A condition on a change.
enum WriteCondition: UInt8, CaseIterable {
    case createIfAbsent, ifMatch, removeIfMatch, copyCondition

    var mask: UInt8 { 1 << rawValue }

    /// The masks of those that are native in `capabilities`.
    static func mask(native capabilities: Capabilities) -> UInt8 {
        allCases.reduce(0) { mask, condition in
            capabilities[condition.capability].grade == .native ? mask | condition.mask : mask
        }
    }

    var capability: Capability {
        switch self {
        case .createIfAbsent: .createIfAbsent
        case .ifMatch: .ifMatch
        case .removeIfMatch: .removeIfMatch
        case .copyCondition: .copyCondition
        }
    }
}

/// Who makes sure that a condition holds at the moment of the change.
enum ConditionKeeper {
    case store
    case host
}
