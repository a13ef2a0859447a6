// What `on_conflict` and conditions come to: one rule for writes, copies and moves.
import CofferModel

/// On which terms a key may be taken.
struct WriteTerms: Sendable {
    /// What the store or its decorator is asked to keep.
    var conditions: Conditions = .none
    /// Whether the host only looks before it writes, since `conditions: none` leaves nothing better.
    var looksFirst = false
    /// Whether losing "create only" is told as a condition that failed, since the caller set that condition.
    var isExplicit = false
    /// Whether a taken key means another name.
    var renames = false
    /// Whether the object is new afterwards; nil where only a look can tell.
    var isNew: Bool?

    /// Decides; explicit conditions outrank `on_conflict`.
    ///
    /// - Throws: ``CofferError`` with `unsupported` or `invalid_argument` for conditions that no write can keep.
    init(_ conditions: Conditions, _ onConflict: OnConflict?, _ policy: StoragePolicy) throws(CofferError) {
        guard conditions.isEmpty else {
            if let ifNoneMatch = conditions.ifNoneMatch {
                guard ifNoneMatch == .any else {
                    throw CofferError(.unsupported, "if-none-match on a change takes * alone")
                }
                guard conditions.ifMatch == nil else {
                    throw CofferError(.invalidArgument, "if-match and if-none-match: * cannot both hold")
                }
            }
            self.conditions = conditions
            isExplicit = true
            isNew = conditions.ifNoneMatch != nil
            return
        }
        let rule = onConflict ?? policy.onConflict
        guard rule != .replace else { return }
        renames = rule == .rename
        isNew = true
        if policy.conditions == .none {
            looksFirst = true
        } else {
            self.conditions = Conditions(ifNoneMatch: .any)
        }
    }

    /// The error as the caller's words have it.
    func told(_ error: CofferError) -> CofferError {
        guard isExplicit, error.code == .alreadyExists else { return error }
        var error = error
        error.code = .preconditionFailed
        return error
    }
}

/// The names that `rename` tries: the asked one, `name_1.ext` and so on, then random ones.
struct FreeNames: Sequence, IteratorProtocol {
    private let key: Key
    private var tried = 0

    /// How many names are counted, and how many more are drawn.
    static let counted = 100
    static let drawn = 10

    init(_ key: Key) { self.key = key }

    mutating func next() -> Key? {
        defer { tried += 1 }
        if tried == 0 { return key }
        if tried <= Self.counted { return key.numbered(String(tried)) }
        return tried <= Self.counted + Self.drawn ? key.numbered(UniqueName.short()) : nil
    }
}
