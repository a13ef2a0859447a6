// What a store makes of conditions, found out by trying: declarations of unknown makes prove nothing.
package import CofferBackend
package import CofferModel
import CofferSystem

extension Storage {
    /// Finds out what the store makes of conditions, with objects of its own under reserved unique keys.
    ///
    /// The findings stay in ``description``. Unless conditions are switched off, what is kept is native from then on, what
    /// is ignored is none, and a storage that failed for want of a condition opens.
    package func probe(_ call: Call) throws(CofferError) -> [ProbeFinding] {
        try checkWritable()
        let backend = try backendToProbe()
        let name = ".coffer-probe-\(UniqueName.attempt())"
        let key = try keys(backend).forWriting(Key(name))
        let target = try keys(backend).forWriting(Key(name + "-copy"))
        let call = timed(call)
        do throws(CofferError) {
            let probe = ConditionProbe(store: backend.bareStore, key: key, target: target)
            let findings = try probe.run(call)
            self.findings.withLock { $0 = findings }
            if policy.conditions != .none { accept(findings, of: backend) }
            return findings
        } catch {
            throw keys(backend).outer(error, key: nil)
        }
    }
}

/// Tries conditions on a store with objects that are nobody else's.
private struct ConditionProbe {
    let store: any Backend
    let key: Key
    let target: Key

    func run(_ call: Call) throws(CofferError) -> [ProbeFinding] {
        do throws(CofferError) {
            let findings = try [creation(call)] + versions(call) + copies(call)
            try store.remove(RemoveRequest(key: target), call)
            try store.remove(RemoveRequest(key: key), call)
            return findings
        } catch {
            // The first error is the one to tell; what is left over lies under names that nobody else uses.
            for key in [key, target] {
                do throws(CofferError) { try store.remove(RemoveRequest(key: key), call) } catch {}
            }
            throw error
        }
    }

    private func creation(_ call: Call) throws(CofferError) -> ProbeFinding {
        let create = Conditions(ifNoneMatch: .any)
        let onAbsent = attempt { () throws(CofferError) in _ = try put("1", create, call) }
        if onAbsent != nil { _ = try put("1", .none, call) }
        return finding(
            .createIfAbsent,
            passed: onAbsent,
            lost: losing { size throws(CofferError) in _ = try put("2", create, call, size: size) },
            "a second create"
        )
    }

    private func versions(_ call: Call) throws(CofferError) -> [ProbeFinding] {
        guard let first = try put("3", .none, call).etag else {
            let detail = "the store gives no version tokens"
            return [Capability.ifMatch, .removeIfMatch].map {
                ProbeFinding(capability: $0, verdict: .unknown, detail: detail)
            }
        }
        let current = Conditions(ifMatch: .tokens([first]))
        let onCurrent = attempt { () throws(CofferError) in _ = try put("4", current, call) }
        // Where the condition was refused, the token must become an old one all the same.
        if onCurrent != nil { _ = try put("4", .none, call) }
        let replacing = finding(
            .ifMatch,
            passed: onCurrent,
            lost: losing { size throws(CofferError) in _ = try put("5", current, call, size: size) },
            "a write over another version"
        )
        return [replacing, try removal(old: first, call)]
    }

    private func removal(old: String, _ call: Call) throws(CofferError) -> ProbeFinding {
        let now = try put("6", .none, call).etag
        let onOld = attempt { () throws(CofferError) in
            try store.remove(RemoveRequest(key: key, ifMatch: .tokens([old])), call)
        }
        let onCurrent = attempt { () throws(CofferError) in
            try store.remove(RemoveRequest(key: key, ifMatch: now.map { .tokens([$0]) }), call)
        }
        return finding(.removeIfMatch, passed: onCurrent, lost: [onOld], "a removal of another version")
    }

    /// Copies under conditions, where the store copies at all: on the source, on the target, on its absence.
    private func copies(_ call: Call) throws(CofferError) -> [ProbeFinding] {
        guard store.capabilities[.copy].grade == .native else { return [] }
        guard let old = try put("7", .none, call).etag, let source = try put("8", .none, call).etag else { return [] }
        var lost: [CofferError?] = []
        func copy(_ conditions: Conditions, from source: String?) -> CofferError? {
            attempt { () throws(CofferError) in
                let request = CopyRequest(
                    from: key,
                    sourceIfMatch: source.map { .tokens([$0]) },
                    to: target,
                    conditions: conditions,
                    attempt: UniqueName.attempt()
                )
                _ = try store.copy(request, call)
            }
        }
        let create = Conditions(ifNoneMatch: .any)
        let passed = copy(create, from: source)
        if passed == nil {
            lost.append(copy(create, from: nil))
            lost.append(copy(.none, from: old))
            lost.append(copy(Conditions(ifMatch: .tokens([old])), from: nil))
        }
        return [finding(.copyCondition, passed: passed, lost: lost, "a copy against its condition")]
    }

    /// What came of writes that must lose: of one small, and of one in parts where the store takes parts, since these
    /// are other requests with conditions of their own.
    private func losing(_ write: (Int) throws(CofferError) -> Void) -> [CofferError?] {
        var results = [attempt { () throws(CofferError) in try write(1) }]
        if let part = store.limits.preferredPart, part < 64 << 20, results[0] != nil {
            results.append(attempt { () throws(CofferError) in try write(Int(part) + 1) })
        }
        return results
    }

    /// A condition is kept where what should pass passed and what should lose lost, each time, and for that reason.
    private func finding(
        _ capability: Capability,
        passed: CofferError?,
        lost: [CofferError?],
        _ what: String
    ) -> ProbeFinding {
        func found(_ verdict: ProbeFinding.Verdict, _ detail: String) -> ProbeFinding {
            ProbeFinding(capability: capability, verdict: verdict, detail: detail)
        }
        // What was done against its condition is the worst to know.
        guard !lost.contains(nil) else { return found(.ignored, "\(what) was done: the store ignores the condition") }
        if let passed { return found(.unknown, "refused: \(passed.message)") }
        let other = lost.compactMap(\.self).first { $0.code != .preconditionFailed && $0.code != .alreadyExists }
        if let other { return found(.unknown, "\(what) failed otherwise: \(other.message)") }
        return found(.kept, "\(what) was refused")
    }

    private func attempt(_ body: () throws(CofferError) -> Void) -> CofferError? {
        do throws(CofferError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    /// Writes `size` times `text`; more than one byte without announcing how many, as a stream of unknown length.
    @discardableResult
    private func put(
        _ text: String,
        _ conditions: Conditions,
        _ call: Call,
        size: Int = 1
    ) throws(CofferError) -> ObjectInfo {
        let stream = try store.beginWrite(
            WriteRequest(
                key: key,
                conditions: conditions,
                size: size == 1 ? 1 : nil,
                attempt: UniqueName.attempt()
            ),
            call
        )
        defer { stream.close() }
        let block = [UInt8](repeating: text.utf8.first ?? 0, count: min(size, 1 << 20))
        var left = size
        while left > 0 {
            let count = min(left, block.count)
            try block.withBytes(0..<count) { all throws(CofferError) in try stream.append(all, call) }
            left -= count
        }
        return try stream.commit([], call)
    }
}
