// Writing a file: aside and then moved, or straight to its name.

import CofferPluginSDK
import CofferTransport
import Glibc

/// One write.
///
/// What is small is held until the commit, and then sent in one request that may be repeated. What is larger streams, and
/// its last byte is held back until the commit, so that the server cannot take it for whole before.
final class Writer: WriteStream {
    /// Up to so many bytes are held.
    private static let held = 256 << 10

    private let store: Store
    private let request: WriteRequest
    private let target: String
    private let path: String
    private var bytes: [UInt8] = []
    private var upload: HTTPUpload?
    private var isPublished = false
    /// Whether something may lie under the temporary name.
    private var mayHaveLeft = false

    init(_ request: WriteRequest, in store: Store, _ call: Call) throws(BackendError) {
        self.store = store
        self.request = request
        target = try store.names.path(of: request.key)
        path = store.settings.isDirect ? target : store.names.temporary(request.attempt)
        try checkTarget(call)
    }

    private var isConditional: Bool { !request.conditions.isEmpty }

    /// Refuses what is lost already.
    ///
    /// A folder in the way is the server's to refuse: no PUT replaces one.
    private func checkTarget(_ call: Call) throws(BackendError) {
        guard isConditional else { return }
        let found = try store.look(target, "\(request.key)", call)
        if let found, found.isFolder { throw BackendError(.alreadyExists, "a folder has that name: \(request.key)") }
        try request.conditions.checkWrite(request.key, existing: found?.tag)
    }

    func append(_ more: RawSpan, call: Call) throws(BackendError) {
        guard upload == nil, bytes.count + more.byteCount <= Self.held else { return try stream(more, call) }
        more.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    private func stream(_ more: RawSpan, _ call: Call) throws(BackendError) {
        guard more.byteCount > 0 else { return }
        if upload == nil {
            try makeWay(call)
            mayHaveLeft = true
            upload = try store.endpoint.beginUpload(put(), length: request.size, call: call)
        }
        guard let upload else { return }
        let before = bytes
        try upload.append(before.span.bytes, call: call)
        let all = more.byteCount
        try upload.append(more.extracting(0..<(all - 1)), call: call)
        bytes = more.extracting((all - 1)..<all).withUnsafeBytes { Array($0) }
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        let answer: HTTPAnswer
        if let upload {
            let last = bytes
            try upload.append(last.span.bytes, call: call)
            answer = try upload.finish(call: call)
        } else {
            answer = try sendHeld(call)
        }
        switch answer.status {
        case 200..<300 where answer.status != 207: break
        case 412 where !request.conditions.ifNoneMatch.isEmpty:
            throw BackendError(.alreadyExists, "already exists: \(request.key)", native: 412)
        case 405: throw BackendError(.alreadyExists, "a folder has that name: \(request.key)", native: 405)
        case 400, 403, 404, 409, 500: throw try store.conflict(request.key, answer, call)
        default: throw answer.failure("writing \(request.key)")
        }
        if let document = Document.text(request.properties, request.metadata, request.modified) {
            try store.keep(document, at: path, "\(request.key)", call)
        }
        if store.settings.restsBetweenWrites { store.moments.noteWrite(of: request.key) }
        let entry =
            store.settings.isDirect
            ? try store.entry(of: request.key, call)
            : try store.publish(path, as: request.key, request.conditions, call)
        isPublished = true
        return entry
    }

    /// Sends what was held; a folder that went meanwhile is made, and it is sent again.
    private func sendHeld(_ call: Call) throws(BackendError) -> HTTPAnswer {
        mayHaveLeft = true
        try makeWay(call)
        let answer = try sendOnce(call)
        guard [400, 403, 404, 409, 500].contains(answer.status) else { return answer }
        store.folders.forget()
        try makeWay(call)
        return try sendOnce(call)
    }

    private func sendOnce(_ call: Call) throws(BackendError) -> HTTPAnswer {
        var request = put()
        request.body = bytes
        return try store.endpoint.send(request, call: call)
    }

    /// Makes the folder that the bytes go to.
    private func makeWay(_ call: Call) throws(BackendError) {
        if store.settings.isDirect {
            try store.makeParents(of: request.key.bytes, call)
        } else {
            try store.prepare(call)
        }
    }

    private func put() -> HTTPRequest {
        var put = HTTPRequest("PUT", path, headers: ["Content-Type": "application/octet-stream"])
        if store.settings.datesUploads {
            put.headers["Date"] = HTTPDate.format(store.moments.next(for: request.key) * 1_000_000_000)
        }
        if store.settings.restsBetweenWrites { store.moments.rest(after: request.key) }
        guard store.settings.isDirect, isConditional else { return put }
        let conditions = request.conditions
        if !conditions.ifMatch.isEmpty { put.headers["If-Match"] = Store.field(conditions.ifMatch) }
        if !conditions.ifNoneMatch.isEmpty { put.headers["If-None-Match"] = Store.field(conditions.ifNoneMatch) }
        // A second one would lose against the first.
        put.repetition = .onlyUnsent
        return put
    }

    func close() {
        upload?.abort()
        upload = nil
        bytes = []
        if !isPublished, mayHaveLeft, !store.settings.isDirect { store.dispose(of: path) }
    }
}
