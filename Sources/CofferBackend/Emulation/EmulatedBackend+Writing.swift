// Writes and removals: conditions that the store cannot keep are kept under the key's lock.
package import CofferModel
import CofferSystem

extension EmulatedBackend {
    /// Begins a write; a condition that is lost already is refused here, and checked again at commit.
    package func beginWrite(_ request: WriteRequest, _ call: Call) throws(CofferError) -> any WriteStream {
        guard native.write else { throw CofferError(.unsupported, "the store cannot write", key: request.key) }
        var passed = request
        let held = try divide(&passed, call)
        if !held.isEmpty { try held.checkForChange(present(request.key, call), key: request.key) }
        let stream = try bare.beginWrite(passed, call)
        return GuardedWriteStream(stream, key: request.key, held: held, owner: self)
    }

    /// Leaves in `request` the conditions that the store keeps, and returns those that the host keeps.
    private func divide(_ request: inout WriteRequest, _ call: Call) throws(CofferError) -> Conditions {
        var held = Conditions.none
        let asked = request.conditions
        if let ifNoneMatch = asked.ifNoneMatch {
            guard ifNoneMatch == .any else {
                throw CofferError(.unsupported, "if-none-match on a write takes * alone", key: request.key)
            }
            if try keeper(of: .createIfAbsent) == .host {
                held.ifNoneMatch = ifNoneMatch
                request.conditions.ifNoneMatch = nil
            }
        }
        if let ifMatch = asked.ifMatch {
            if try keeper(of: .ifMatch) == .host {
                held.ifMatch = ifMatch
                request.conditions.ifMatch = nil
            } else {
                request.conditions.ifMatch = try single(ifMatch, key: request.key, call)
            }
        }
        return held
    }

    /// The one of several tokens that is the present one, since a store compares with one.
    func single(_ match: Conditions.Match, key: Key, _ call: Call) throws(CofferError) -> Conditions.Match {
        guard case .tokens(let tokens) = match, tokens.count != 1 else { return match }
        let info = try present(key, call)
        try Conditions(ifMatch: match).checkForChange(info, key: key)
        return info?.etag.map { .tokens([$0]) } ?? match
    }

    /// Removes an object.
    package func remove(_ request: RemoveRequest, _ call: Call) throws(CofferError) {
        guard native.remove else { throw CofferError(.unsupported, "the store cannot remove", key: request.key) }
        guard let ifMatch = request.ifMatch else {
            return try changing(request.key, call) { () throws(CofferError) in try bare.remove(request, call) }
        }
        var passed = request
        if try keeper(of: .removeIfMatch) == .store {
            passed.ifMatch = try single(ifMatch, key: request.key, call)
            return try changing(request.key, call) { () throws(CofferError) in try bare.remove(passed, call) }
        }
        passed.ifMatch = nil
        try changing(request.key, call) { () throws(CofferError) in
            try Conditions(ifMatch: ifMatch).checkForChange(present(request.key, call), key: request.key)
            try bare.remove(passed, call)
        }
    }

    /// Removes many, in batches of the store where that loses nothing.
    package func removeBatch(_ requests: [RemoveRequest], _ call: Call) throws(CofferError) -> [CofferError?] {
        let isConditional = requests.contains { $0.ifMatch != nil }
        guard native.removeBatch, !locksChanges, !isConditional else { return removeEach(requests, call) }
        let size = Int(clamping: max(1, limits.batch ?? 1000))
        var results: [CofferError?] = []
        results.reserveCapacity(requests.count)
        var start = 0
        while start < requests.count {
            let batch = Array(requests[start..<min(requests.count, start + size)])
            let answers = try bare.removeBatch(batch, call)
            guard answers.count == batch.count else {
                throw CofferError(.corrupt, "the store answered \(answers.count) of \(batch.count) removals")
            }
            results += answers
            start += batch.count
        }
        return results
    }

    private func removeEach(_ requests: [RemoveRequest], _ call: Call) -> [CofferError?] {
        requests.map { request in
            if call.cancellation.isCancelled { return CofferError(.cancelled, "cancelled", key: request.key) }
            do throws(CofferError) {
                try remove(request, call)
                return nil
            } catch {
                return error
            }
        }
    }
}
