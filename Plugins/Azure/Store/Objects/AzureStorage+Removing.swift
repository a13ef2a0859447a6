// Removing objects, one by one and many at once.

import CofferParts
package import CofferPluginSDK
import CofferTransport

extension AzureStorage {
    /// Objects of one batch that are removed at once.
    private static let lanesOfBatch = 8

    package func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        var question = try self.request("DELETE", request.key)
        if !request.ifMatch.isEmpty {
            question.headers.add("If-Match", request.ifMatch == "*" ? "*" : "\"\(request.ifMatch)\"")
        }
        if configuration.removesSnapshots { question.headers.add("x-ms-delete-snapshots", "include") }
        let (answer, isOpen) = try sendKnowing(question, call: call)
        guard !answer.head.isSuccess else { return }
        let refusal = Refusal(answer)
        if refusal.isAbsent {
            // Perhaps an earlier attempt was done, and its answer lost.
            if isOpen || (request.ifMatch.isEmpty && !request.isStrict) { return }
            throw request.ifMatch.isEmpty
                ? .notFound(request.key)
                : BackendError(.precondition, "no such object: \(request.key)", native: 404)
        }
        if refusal.code == "ConditionNotMet" {
            throw BackendError(.precondition, "another version: \(request.key)", native: 412)
        }
        throw refusal.error(answer, "removing \(request.key)", key: request.key)
    }

    /// Sends a request like the endpoint does, and tells whether an attempt before the answered one may have been done.
    private func sendKnowing(
        _ request: HTTPRequest,
        call: Call
    ) throws(BackendError) -> (answer: HTTPAnswer, isOpen: Bool) {
        var request = request
        request.repetition = .onlyUnsent
        let policy = configuration.settings.retries
        var pause: UInt64 = 100_000_000
        var isOpen = false
        for attempt in 1... {
            do throws(BackendError) {
                let answer = try endpoint.send(request, call: call)
                guard Draft.undecided.contains(answer.status), attempt < policy.attempts else {
                    return (answer, isOpen)
                }
            } catch {
                guard error.isMaybeApplied, attempt < policy.attempts else { throw error }
                try call.check()
            }
            isOpen = true
            try call.sleep(nanoseconds: UInt64.random(in: 0...pause))
            pause = min(pause * 2, 5_000_000_000)
        }
        throw BackendError(.internal, "no attempt was made")
    }

    package func removeBatch(
        _ requests: [RemoveRequest],
        results: BatchResults,
        call: Call
    ) throws(BackendError) {
        let lanes = try Lanes<(index: Int, error: BackendError?)>(most: min(Self.lanesOfBatch, max(1, requests.count)))
        defer { lanes.cancel() }
        for (index, request) in requests.enumerated() {
            try lanes.run(call: call) { [self] call throws(BackendError) in
                do throws(BackendError) {
                    try remove(request, call: call)
                } catch {
                    // A batch that is broken off reports nothing more.
                    if error.code == .cancelled { throw error }
                    return (index, error)
                }
                return (index, nil)
            }
        }
        for result in try lanes.finish(call: call) { try results.report(result.index, result.error) }
    }
}
