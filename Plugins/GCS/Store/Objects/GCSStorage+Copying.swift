// Copies inside the store, and changes of what an object says of itself.

import CofferJSON
package import CofferPluginSDK
import CofferTransport

extension GCSStorage {
    /// How often metadata are changed anew because somebody else changed them meanwhile.
    private static let changes = 5

    package func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        try Place.check(request.to)
        if request.from == request.to, let replacement = request.replacement {
            return try describe(request, replacement, call: call)
        }
        let source = try source(of: request, call: call)
        let kept = request.replacement
        var draft = try draft(request, source, kept)
        let isMarked = !request.conditions.isEmpty
        if isMarked { draft.object.attempt = draft.attempt }
        // Said nothing, the store keeps all that it knows of the source.
        let isSilent = kept == nil && !isMarked && configuration.storageClass == nil
        let body = isSilent ? [] : draft.object.document()
        let doing = "copying \(request.from) to \(request.to)"
        var token: String?
        // Each answer that is not the last says that the store is further than before.
        while true {
            var query = draft.precondition.query
            if let version = source.version {
                query.append((name: "ifSourceGenerationMatch", value: String(version.generation)))
                query.append((name: "ifSourceMetagenerationMatch", value: String(version.metageneration)))
            }
            if let acl = configuration.acl { query.append((name: "destinationPredefinedAcl", value: acl)) }
            if let key = configuration.kmsKey { query.append((name: "destinationKmsKeyName", value: key)) }
            if let token { query.append((name: "rewriteToken", value: token)) }
            let path = configuration.place.rewritePath(from: request.from, to: request.to)
            var question = HTTPRequest("POST", "\(path)?\(encodedQuery(query))", body: body)
            if !body.isEmpty { question.headers.add("Content-Type", "application/json; charset=UTF-8") }
            question.answerTimeout = .seconds(300)
            switch try rewrite(question, draft, request, source, doing, call: call) {
            case .done(let entry): return entry
            case .more(let next): token = next
            }
        }
    }

    private enum Rewriting {
        case done(Entry)
        case more(String)
    }

    private func rewrite(
        _ question: HTTPRequest,
        _ draft: Draft,
        _ request: CopyRequest,
        _ source: ObjectResource,
        _ doing: String,
        call: Call
    ) throws(BackendError) -> Rewriting {
        try draft.sendOnce(question, isMarked: !request.conditions.isEmpty, call: call) { answer throws(BackendError) in
            try Self.progress(answer, doing)
        } refuse: { answer throws(BackendError) in
            try copyFailure(answer, draft, request, source, doing, call: call)
        } recognise: {
            .done($0.entry)
        }
    }

    private static func progress(_ answer: HTTPAnswer, _ doing: String) throws(BackendError) -> Rewriting {
        let document = try document(answer, doing)
        if document["done"]?.boolValue ?? true {
            guard let made = document["resource"].flatMap({ ObjectResource($0) }) else {
                throw BackendError(.io, "\(doing): the store's answer names no object")
            }
            return .done(made.entry)
        }
        guard let token = document["rewriteToken"]?.stringValue, !token.isEmpty else {
            throw BackendError(.io, "\(doing): the store does not say how to go on")
        }
        return .more(token)
    }

    /// A refusal of a copy: conditions on both ends have the same status.
    private func copyFailure(
        _ answer: HTTPAnswer,
        _ draft: Draft,
        _ request: CopyRequest,
        _ source: ObjectResource,
        _ doing: String,
        call: Call
    ) throws(BackendError) -> BackendError {
        let refusal = Refusal(answer)
        guard answer.status == 412 || answer.status == 404 && !refusal.isAboutBucket else {
            return draft.failure(answer, doing)
        }
        let now = try resource(request.from, call: call)
        guard now?.version == source.version else {
            if now == nil, request.sourceIfMatch.isEmpty { return .notFound(request.from) }
            return BackendError(.changed, "changed while it was copied: \(request.from)", native: Int32(answer.status))
        }
        return draft.failure(answer, doing)
    }

    private func source(of request: CopyRequest, call: Call) throws(BackendError) -> ObjectResource {
        guard let source = try resource(request.from, call: call) else {
            throw request.sourceIfMatch.isEmpty
                ? .notFound(request.from)
                : BackendError(.precondition, "no such object: \(request.from)", native: 404)
        }
        try Conditions(ifMatch: request.sourceIfMatch).checkRead(request.from, etag: source.entry.etag)
        return source
    }

    private func draft(
        _ request: CopyRequest,
        _ source: ObjectResource,
        _ replacement: CopyRequest.Replacement?
    ) throws(BackendError) -> Draft {
        var properties = replacement?.properties ?? source.entry.properties
        if replacement == nil { properties["storage-class"] = nil }
        var draft = try Draft(
            self,
            request.to,
            conditions: request.conditions,
            attempt: request.attempt,
            properties: properties,
            metadata: replacement?.metadata ?? source.entry.metadata
        )
        // The bytes are the same, and so are their digests.
        draft.object.checksums = source.entry.checksums
        return draft
    }

    // MARK: in place

    /// Replaces what an object says of itself; its bytes stay where they are.
    private func describe(
        _ request: CopyRequest,
        _ replacement: CopyRequest.Replacement,
        call: Call
    ) throws(BackendError) -> Entry {
        for _ in 1...Self.changes {
            let old = try source(of: request, call: call)
            try request.conditions.checkWrite(request.to, existing: old.entry.etag)
            var draft = try draft(request, old, replacement)
            if let kind = replacement.properties["storage-class"] {
                guard kind.utf8.elementsEqual((old.entry.properties["storage-class"] ?? "STANDARD").utf8) else {
                    throw .unsupported("another storage class in place")
                }
            }
            draft.object.attempt = draft.attempt
            guard let version = old.version else {
                throw BackendError(.io, "changing \(request.to): the store names no version")
            }
            let query = encodedQuery([
                (name: "ifGenerationMatch", value: String(version.generation)),
                (name: "ifMetagenerationMatch", value: String(version.metageneration)),
            ])
            let question = HTTPRequest(
                "PATCH",
                "\(configuration.place.path(request.to))?\(query)",
                headers: ["Content-Type": "application/json; charset=UTF-8"],
                body: draft.object.patch(over: old)
            )
            if let changed = try send(patch: question, draft, call: call) { return changed.entry }
        }
        throw BackendError(.changed, "changed again and again: \(request.to)", isRetryable: true)
    }

    /// Sends a change of an object's description; nil where somebody was quicker, and what is there must be looked at anew.
    private func send(patch: HTTPRequest, _ draft: Draft, call: Call) throws(BackendError) -> ObjectResource? {
        let doing = "changing \(draft.key)"
        do throws(BackendError) {
            return try draft.sendOnce(patch, isMarked: true, call: call) { answer throws(BackendError) in
                try resource(in: answer, doing)
            } refuse: { answer in
                let refusal = Refusal(answer)
                let isAbsent = answer.status == 404 && !refusal.isAboutBucket
                return isAbsent || answer.status == 412
                    ? BackendError(.precondition, doing) : refusal.error(answer, doing, key: draft.key)
            } recognise: {
                $0
            }
        } catch {
            guard error.code == .precondition else { throw error }
            return nil
        }
    }
}
