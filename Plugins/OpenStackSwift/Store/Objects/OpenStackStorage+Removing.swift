// Removing objects, one by one and many at once.

package import CofferPluginSDK
import CofferTransport

extension OpenStackStorage {
    package func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        let place = try place(call: call)
        let segments = SegmentStore(storage: self, place: place)
        var leftovers: SegmentStore.Leftovers?
        if try segments.mayExist(call: call) {
            let head = try head(request.key, at: place, call: call)
            leftovers = try segments.leftovers(of: request.key, head, call: call)
        }
        let answer = try place.endpoint.send(HTTPRequest("DELETE", place.path(request.key)), call: call)
        try judge(answer, request, at: place, call: call)
        segments.clear(leftovers, call: call)
    }

    private func judge(
        _ answer: HTTPAnswer,
        _ request: RemoveRequest,
        at place: Place,
        call: Call
    ) throws(BackendError) {
        if answer.head.isSuccess { return noteContainer() }
        let doing = "removing \(request.key)"
        guard answer.status == 404 else { throw Refusal.error(answer, doing) }
        try expectContainer(at: place, doing, call: call)
        // A repeated request meets its own success: nobody can tell.
        if request.isStrict { throw .notFound(request.key) }
    }

    package func removeBatch(
        _ requests: [RemoveRequest],
        results: BatchResults,
        call: Call
    ) throws(BackendError) {
        let place = try place(call: call)
        let segments = SegmentStore(storage: self, place: place)
        var leftovers: [Int: SegmentStore.Leftovers] = [:]
        if try segments.mayExist(call: call) {
            var heads: [Int: HTTPHead] = [:]
            let questions = requests.map { HTTPRequest("HEAD", place.path($0.key)) }
            try place.endpoint.sendAll(questions, width: 16, call: call) { index, result in
                if case .success(let answer) = result, answer.head.isSuccess { heads[index] = answer.head }
            }
            for (index, head) in heads {
                leftovers[index] = try segments.leftovers(of: requests[index].key, head, call: call)
            }
        }
        let questions = requests.map { HTTPRequest("DELETE", place.path($0.key)) }
        var gone: [SegmentStore.Leftovers] = []
        try place.endpoint.sendAll(questions, width: 16, call: call) { (index, result) throws(BackendError) in
            do throws(BackendError) {
                try judge(try result.get(), requests[index], at: place, call: call)
            } catch {
                try results.report(index, error)
                return
            }
            if let left = leftovers[index] { gone.append(left) }
            try results.report(index)
        }
        for left in gone { segments.clear(left, call: call) }
    }
}
