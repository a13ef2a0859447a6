// The seeded plan: which call fails, and how.

import CofferPluginSDK
import MemoryStore

/// An operation that a rule may name; `any` matches all of them.
enum FaultOperation: String, CaseIterable {
    case any = "*"
    case health, stat, readOpen = "read_open", read
    case writeBegin = "write_begin", writeAppend = "write_append", writeCommit = "write_commit"
    case remove, removeBatch = "remove_batch"
    case listOpen = "list_open", listNext = "list_next"
    case copy, move, usage
}

/// What happens to a call that a rule picks.
enum Fault: Equatable {
    /// It throws, and nothing was done.
    case error(BackendError)
    /// A read gives fewer bytes than it could.
    case shortRead
    /// A read ends before its end.
    case earlyEnd
    /// It sleeps first, for so many nanoseconds, unless cancelled or late.
    case stall(UInt64)
    /// It is done, and then throws: the answer got lost.
    case lostAnswer
    /// It is done twice, and the second answer counts: the request came twice.
    case duplicate
    /// An append fails once the write has more than so many bytes.
    case noSpace(after: UInt64)
}

/// The rules, with their random numbers: the same seed and the same order of calls give the same faults.
// Unchecked because `rules` is reached under `lock` alone.
final class FaultPlan: @unchecked Sendable {
    private let lock = ReadWriteLock()
    private var rules: [FaultRule]

    init(_ texts: [String], seed: UInt64) throws(BackendError) {
        rules = []
        for (index, text) in texts.enumerated() {
            rules.append(try FaultRule(text, seed: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15))
        }
    }

    /// The fault of the first rule that picks this call, `written` being the bytes that a write would then have.
    func next(_ operation: FaultOperation, key: ByteString?, written: UInt64 = 0) -> Fault? {
        lock.writing {
            for index in rules.indices where rules[index].picks(operation, key: key, written: written) {
                return rules[index].fault
            }
            return nil
        }
    }
}

/// One rule: `OPERATION KIND [NAME=VALUE …]`.
///
/// Kinds: `error=CODE`, `short_read`, `early_end`, `stall=MILLISECONDS`, `lost_ack`, `duplicate`, `no_space=BYTES`.
/// Names: `every=N` (each N-th call), `p=0.25` (a probability), `count=N` (at most so often), `skip=N` (not the first
/// N), `key=PREFIX`; with `error` also `retryable`, `maybe_applied`, `retry_after=MILLISECONDS`.
struct FaultRule {
    let operation: FaultOperation
    private(set) var fault: Fault
    private var every: UInt64 = 1
    private var probability = 1.0
    private var left = UInt64.max
    private var skip: UInt64 = 0
    private var prefix = ByteString.empty
    private var seen: UInt64 = 0
    private var random: SplitMix

    init(_ text: String, seed: UInt64) throws(BackendError) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count >= 2 else { throw Self.wrong(text, "needs an operation and a kind") }
        guard let operation = FaultOperation(rawValue: words[0]) else {
            throw Self.wrong(text, "names no operation: \(words[0])")
        }
        self.operation = operation
        random = SplitMix(state: seed)
        fault = try Self.kind(words[1], of: text)
        switch (fault, operation) {
        case (.shortRead, .read), (.earlyEnd, .read), (.noSpace, .writeAppend): break
        case (.shortRead, _), (.earlyEnd, _), (.noSpace, _): throw Self.wrong(text, "cannot happen to \(words[0])")
        default: break
        }
        for word in words.dropFirst(2) { try refine(word, of: text) }
    }

    /// Whether this call is one that shall fail; counts it.
    mutating func picks(_ called: FaultOperation, key: ByteString?, written: UInt64) -> Bool {
        guard operation == .any || operation == called, left > 0 else { return false }
        guard prefix.isEmpty || key?.hasPrefix(prefix) == true else { return false }
        if case .noSpace(let limit) = fault, written <= limit { return false }
        seen += 1
        guard seen > skip, (seen - skip).isMultiple(of: every) else { return false }
        guard probability >= 1 || random.unit() < probability else { return false }
        left -= 1
        return true
    }

    private mutating func refine(_ word: String, of text: String) throws(BackendError) {
        let (name, value) = Self.split(word)
        switch (name, fault) {
        case ("every", _): every = max(1, try Self.number(value, of: text))
        case ("count", _): left = try Self.number(value, of: text)
        case ("skip", _): skip = try Self.number(value, of: text)
        case ("key", _): prefix = ByteString(value)
        case ("p", _):
            guard let chance = Double(value), (0...1).contains(chance) else {
                throw Self.wrong(text, "has no probability: \(value)")
            }
            probability = chance
        case ("retryable", .error(var error)):
            error.isRetryable = true
            fault = .error(error)
        case ("maybe_applied", .error(var error)):
            error.isMaybeApplied = true
            fault = .error(error)
        case ("retry_after", .error(var error)):
            error.retryAfterMilliseconds = UInt32(clamping: try Self.number(value, of: text))
            fault = .error(error)
        default: throw Self.wrong(text, "has a word too many: \(word)")
        }
    }

    private static func kind(_ word: String, of text: String) throws(BackendError) -> Fault {
        let (name, value) = split(word)
        switch name {
        case "short_read": return .shortRead
        case "early_end": return .earlyEnd
        case "lost_ack": return .lostAnswer
        case "duplicate": return .duplicate
        case "stall": return .stall(nanoseconds(milliseconds: try number(value, of: text)))
        case "no_space": return .noSpace(after: try number(value, of: text))
        case "error":
            guard let code = codes[value] else { throw wrong(text, "names no error: \(value)") }
            return .error(BackendError(code, "a fault of the plan: \(value)"))
        default: throw wrong(text, "names no kind: \(word)")
        }
    }

    private static func split(_ word: String) -> (name: String, value: String) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : "")
    }

    private static func number(_ value: String, of text: String) throws(BackendError) -> UInt64 {
        guard let number = UInt64(value) else { throw wrong(text, "has no number: \(value)") }
        return number
    }

    private static func wrong(_ rule: String, _ why: String) -> BackendError {
        Options.wrong("plan", "has a rule that \(why) (\(rule))")
    }

    private static let codes: [String: BackendError.Code] = [
        "unsupported": .unsupported, "invalid_argument": .invalidArgument, "not_found": .notFound,
        "already_exists": .alreadyExists, "precondition": .precondition, "permission": .permission,
        "unauthenticated": .unauthenticated, "rate_limited": .rateLimited, "no_space": .noSpace,
        "too_large": .tooLarge, "timeout": .timeout, "cancelled": .cancelled, "io": .io, "unavailable": .unavailable,
        "corrupt": .corrupt, "internal": .internal, "changed": .changed, "quota": .quota,
    ]
}

/// A small generator with a state of its own (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
