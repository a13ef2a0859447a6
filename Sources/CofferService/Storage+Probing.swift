// What a store makes of conditions, found out by trying: declarations of unknown makes prove nothing.
package import CofferBackend
package import CofferModel
import CofferSystem

extension Storage {
    /// Proves what the store makes of conditions, with an object of its own under a reserved unique key.
    ///
    /// The findings stay in ``description``. With `conditions: auto`, what is proven is native from then on, and a storage that failed for want of it opens.
    package func probe(_ call: Call) throws(CofferError) -> [ProbeFinding] {
        try checkWritable()
        let backend = try backendToProbe()
        let key = try keys(backend).forWriting(Key(".coffer-probe-\(UniqueName.attempt())"))
        let call = timed(call)
        do throws(CofferError) {
            let findings = try ConditionProbe(store: backend.bareStore, key: key).run(call)
            self.findings.withLock { $0 = findings }
            if policy.conditions == .auto {
                accept(proven: findings.filter(\.isProven).map(\.capability), of: backend)
            }
            return findings
        } catch {
            throw keys(backend).outer(error, key: nil)
        }
    }
}

/// Tries conditions on a store with one object that is nobody else's.
private struct ConditionProbe {
    let store: any Backend
    let key: Key

    func run(_ call: Call) throws(CofferError) -> [ProbeFinding] {
        do throws(CofferError) {
            let findings = try findings(call)
            try store.remove(RemoveRequest(key: key), call)
            return findings
        } catch {
            // The first error is the one to tell; what is left over lies under a name that nobody else uses.
            do throws(CofferError) { try store.remove(RemoveRequest(key: key), call) } catch {}
            throw error
        }
    }

    private func findings(_ call: Call) throws(CofferError) -> [ProbeFinding] {
        let create = Conditions(ifNoneMatch: .any)
        let onAbsent = attempt { () throws(CofferError) in _ = try put("1", create, call) }
        if onAbsent != nil { _ = try put("1", .none, call) }
        let onPresent = attempt { () throws(CofferError) in _ = try put("2", create, call) }
        var result = [
            finding(
                .createIfAbsent,
                passes: onAbsent,
                loses: onPresent,
                "a second create was refused",
                "a second create"
            )
        ]
        guard let first = try put("3", .none, call).etag else {
            let detail = "the store gives no version tokens"
            return result
                + [Capability.ifMatch, .removeIfMatch].map {
                    ProbeFinding(capability: $0, isProven: false, detail: detail)
                }
        }
        let current = Conditions(ifMatch: .tokens([first]))
        let onCurrent = attempt { () throws(CofferError) in _ = try put("4", current, call) }
        // Where the condition was refused, the token must become an old one all the same.
        if onCurrent != nil { _ = try put("4", .none, call) }
        let onOld = attempt { () throws(CofferError) in _ = try put("5", current, call) }
        result.append(
            finding(
                .ifMatch,
                passes: onCurrent,
                loses: onOld,
                "a write over another version was refused",
                "such a write"
            )
        )
        result.append(try removal(old: first, call))
        return result
    }

    private func removal(old: String, _ call: Call) throws(CofferError) -> ProbeFinding {
        let now = try put("6", .none, call).etag
        let onOld = attempt { () throws(CofferError) in
            try store.remove(RemoveRequest(key: key, ifMatch: .tokens([old])), call)
        }
        let onCurrent = attempt { () throws(CofferError) in
            try store.remove(RemoveRequest(key: key, ifMatch: now.map { .tokens([$0]) }), call)
        }
        return finding(
            .removeIfMatch,
            passes: onCurrent,
            loses: onOld,
            "a removal of another version was refused",
            "such a removal"
        )
    }

    /// A condition is proven where what should pass passed and what should lose lost, and for that reason.
    private func finding(
        _ capability: Capability,
        passes: CofferError?,
        loses: CofferError?,
        _ seen: String,
        _ what: String
    ) -> ProbeFinding {
        if let passes {
            return ProbeFinding(capability: capability, isProven: false, detail: "refused: \(passes.message)")
        }
        guard let loses else {
            return ProbeFinding(
                capability: capability,
                isProven: false,
                detail: "\(what) was done: the store ignores it"
            )
        }
        let isProven = loses.code == .preconditionFailed || loses.code == .alreadyExists
        return ProbeFinding(
            capability: capability,
            isProven: isProven,
            detail: isProven ? seen : "\(what) failed otherwise: \(loses.message)"
        )
    }

    private func attempt(_ body: () throws(CofferError) -> Void) -> CofferError? {
        do throws(CofferError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private func put(_ text: String, _ conditions: Conditions, _ call: Call) throws(CofferError) -> ObjectInfo {
        let bytes = Array(text.utf8)
        let stream = try store.beginWrite(
            WriteRequest(
                key: key,
                conditions: conditions,
                size: Int64(bytes.count),
                attempt: UniqueName.attempt()
            ),
            call
        )
        defer { stream.close() }
        try bytes.withBytes(bytes.indices) { all throws(CofferError) in try stream.append(all, call) }
        return try stream.commit([], call)
    }
}
