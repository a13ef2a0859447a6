// Removing objects, one by one and many at once.

package import CofferPluginSDK
import CofferTransport

extension GCSStorage {
    /// How many removals of a batch are on their way at once.
    private static let batchWidth = 16

    package func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        let answer = try endpoint.send(try question(request), call: call)
        if let error = failure(answer, request) { throw error }
    }

    package func removeBatch(
        _ requests: [RemoveRequest],
        results: BatchResults,
        call: Call
    ) throws(BackendError) {
        var questions: [HTTPRequest] = []
        var indices: [Int] = []
        for (index, request) in requests.enumerated() {
            do throws(BackendError) {
                questions.append(try question(request))
                indices.append(index)
            } catch {
                try results.report(index, error)
            }
        }
        try endpoint.sendAll(questions, width: Self.batchWidth, call: call) { position, result throws(BackendError) in
            let index = indices[position]
            switch result {
            case .success(let answer): try results.report(index, failure(answer, requests[index]))
            case .failure(let error):
                if error.code == .cancelled { throw error }
                try results.report(index, error)
            }
        }
    }

    private func question(_ request: RemoveRequest) throws(BackendError) -> HTTPRequest {
        let precondition = try Precondition(request.key, Conditions(ifMatch: request.ifMatch))
        let path = configuration.place.path(request.key)
        let query = encodedQuery(precondition.query)
        var question = HTTPRequest("DELETE", query.isEmpty ? path : "\(path)?\(query)")
        // Repeated after a lost answer, it would find nothing, and call that a failure.
        if request.isStrict || !request.ifMatch.isEmpty { question.repetition = .onlyUnsent }
        return question
    }

    private func failure(_ answer: HTTPAnswer, _ request: RemoveRequest) -> BackendError? {
        if answer.head.isSuccess { return nil }
        let refusal = Refusal(answer)
        let isAbsent = answer.status == 404 && !refusal.isAboutBucket
        if !request.ifMatch.isEmpty, isAbsent || answer.status == 412 || answer.status == 304 {
            return BackendError(.precondition, "another version: \(request.key)", native: Int32(answer.status))
        }
        if isAbsent { return request.isStrict ? .notFound(request.key) : nil }
        return refusal.error(answer, "removing \(request.key)", key: request.key)
    }
}
