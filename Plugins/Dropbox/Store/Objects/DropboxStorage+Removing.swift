// Removing objects, one by one and many at once: always a revision of a file, never a folder with all below it.

import CofferJSON
package import CofferPluginSDK
import CofferTransport

extension DropboxStorage {
    package func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        let path = try names.path(of: request.key)
        while true {
            let named = revision(request.ifMatch)
            let found: String?
            if let named {
                found = named
            } else {
                let facts = try look(request.key, call: call)
                guard try request.check(existing: facts?.etag) else { return }
                found = facts?.revision
            }
            guard let found else { return }
            let isConditional = !request.ifMatch.isEmpty
            let reply = try ask(
                "files/delete_v2",
                Self.removal(path, found),
                "removing \(request.key)",
                repetition: isConditional ? .onlyUnsent : .always,
                call: call
            )
            guard case .refused(let refusal) = reply else { return }
            guard refusal.isAbsence || refusal.says("conflict") else {
                throw refusal.error("removing \(request.key)", key: request.key)
            }
            if named != nil { throw BackendError(.precondition, "another version: \(request.key)", native: 409) }
            // Somebody was faster: absent is fine, and another version is looked at.
            if refusal.isAbsence && !isConditional { return }
            try call.check()
        }
    }

    /// A removal of one revision, which no folder has.
    private static func removal(_ path: String, _ revision: String) -> JSONValue {
        ["path": .string(path), "parent_rev": .string(revision)]
    }

    package func removeBatch(
        _ requests: [RemoveRequest],
        results: BatchResults,
        call: Call
    ) throws(BackendError) {
        var start = 0
        while start < requests.count {
            let end = min(start + 1000, requests.count)
            try removeTogether(Array(requests[start..<end]), from: start, results, call: call)
            start = end
        }
    }

    /// A file that a batch shall remove.
    private struct Target {
        let index: Int
        let path: String
        let revision: String
    }

    private func removeTogether(
        _ requests: [RemoveRequest],
        from first: Int,
        _ results: BatchResults,
        call: Call
    ) throws(BackendError) {
        let targets = try find(requests, from: first, results, call: call)
        guard !targets.isEmpty else { return }
        let entries = targets.map { Self.removal($0.path, $0.revision) }
        let outcomes = try run(entries, call: call)
        guard outcomes.count == targets.count else {
            throw BackendError(.io, "removing objects: dropbox answers for \(outcomes.count) of \(targets.count)")
        }
        for (target, outcome) in zip(targets, outcomes) {
            let request = requests[target.index - first]
            guard outcome[".tag"]?.stringValue?.utf8.elementsEqual("failure".utf8) ?? false else {
                try results.report(target.index)
                continue
            }
            let refusal = Refusal(error: outcome["failure"])
            if refusal.isAbsence && request.ifMatch.isEmpty {
                try results.report(target.index)
            } else if refusal.isContention || refusal.says("conflict") || refusal.isAbsence {
                // What moved on meanwhile is looked at again, alone.
                try removeAlone(request, target.index, results, call: call)
            } else {
                try results.report(target.index, refusal.error("removing \(request.key)", key: request.key))
            }
        }
    }

    /// Looks for what is there; reports what is settled by that.
    private func find(
        _ requests: [RemoveRequest],
        from first: Int,
        _ results: BatchResults,
        call: Call
    ) throws(BackendError) -> [Target] {
        var questions: [HTTPRequest] = []
        var asked: [(index: Int, path: String)] = []
        for (offset, request) in requests.enumerated() {
            let path: String
            do throws(BackendError) {
                path = try names.path(of: request.key)
            } catch {
                try results.report(first + offset, error)
                continue
            }
            questions.append(question("files/get_metadata", ["path": .string(path)]))
            asked.append((first + offset, path))
        }
        var targets: [Target] = []
        try api.sendAll(questions, width: 16, call: call) { position, result throws(BackendError) in
            let (index, path) = asked[position]
            let request = requests[index - first]
            do throws(BackendError) {
                let facts = try Self.facts(in: try result.get(), request.key)
                guard try request.check(existing: facts?.etag), let facts else {
                    try results.report(index)
                    return
                }
                targets.append(Target(index: index, path: path, revision: facts.revision))
            } catch {
                try results.report(index, error)
            }
        }
        return targets
    }

    private static func facts(in answer: HTTPAnswer, _ key: ByteString) throws(BackendError) -> FileFacts? {
        guard answer.head.isSuccess else {
            let refusal = Refusal(answer)
            if answer.status == 409 && refusal.isAbsence { return nil }
            throw refusal.error("removing \(key)", key: key)
        }
        do throws(JSONError) {
            return FileFacts(try JSONValue(parsing: answer.body))
        } catch {
            throw BackendError(.io, "removing \(key): the answer of dropbox is no JSON", isRetryable: true)
        }
    }

    private func removeAlone(
        _ request: RemoveRequest,
        _ index: Int,
        _ results: BatchResults,
        call: Call
    ) throws(BackendError) {
        do throws(BackendError) {
            try remove(request, call: call)
        } catch {
            try call.check()
            return try results.report(index, error)
        }
        try results.report(index)
    }

    /// Runs a batch of removals to its end; answers what became of each.
    private func run(_ entries: [JSONValue], call: Call) throws(BackendError) -> [JSONValue] {
        var state = try ask("files/delete_batch", ["entries": .array(entries)], "removing objects", call: call)
            .result("removing objects")
        var pause: UInt64 = 10
        let job = state["async_job_id"]
        while let job, state["entries"] == nil {
            let tag = state[".tag"]?.stringValue ?? ""
            if tag.utf8.elementsEqual("failed".utf8) || tag.utf8.elementsEqual("other".utf8) {
                throw Refusal(error: state["failed"]).error("removing objects")
            }
            try call.sleep(nanoseconds: pause * 1_000_000)
            pause = min(2 * pause, 1000)
            state = try ask("files/delete_batch/check", ["async_job_id": job], "removing objects", call: call)
                .result("removing objects")
        }
        return state["entries"]?.arrayValue ?? []
    }
}
