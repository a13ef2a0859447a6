// Reading a file.

import CofferPluginSDK
import CofferTransport

extension Store {
    /// Opens a read; the conditions are compared here, since not every server knows them.
    func openRead(_ request: ReadRequest, _ call: Call) throws(BackendError) -> ReadAnswer {
        for _ in 0..<8 {
            do throws(BackendError) {
                return try replacements.looking(request.key, call) { () throws(BackendError) in try open(request, call)
                }
            } catch {
                // Properties and bytes come by two requests, and must be of one version.
                guard error.code == .changed else { throw error }
            }
        }
        return try replacements.looking(request.key, call) { () throws(BackendError) in try open(request, call) }
    }

    private func open(_ request: ReadRequest, _ call: Call) throws(BackendError) -> ReadAnswer {
        let path = try names.path(of: request.key)
        // The properties are no part of the answer to a GET.
        let looked = settings.keepsProperties ? try object(request.key, call) : nil
        switch try endpoint.read(HTTPRequest("GET", path), request.range, call: call) {
        case .refused(let answer):
            // A folder is redirected to its name with a slash, or not shown at all.
            if (300..<400).contains(answer.status) { throw BackendError.notFound(request.key) }
            if answer.status == 403 || answer.status == 405, try look(path, "\(request.key)", call)?.isFolder ?? true {
                throw BackendError.notFound(request.key)
            }
            throw answer.status == 404 ? .notFound(request.key) : answer.failure("reading \(request.key)")
        case .reading(let read):
            var resource = looked ?? Resource()
            let tag = Resource.token(read.head.entityTag)
            if looked != nil, resource.tag != tag {
                read.close()
                throw BackendError(
                    .changed,
                    "the object changed while it was opened: \(request.key)",
                    isRetryable: true
                )
            }
            // What has no tag, or is made as it is sent, may be the page of a folder.
            if looked == nil, tag.isEmpty, try object(request.key, call).isFolder {
                throw BackendError.notFound(request.key)
            }
            resource.tag = tag
            resource.size = Int64(clamping: read.size)
            resource.modified = read.head.lastModified ?? Entry.unknownTime
            let entry = try resource.entry(request.key)
            do throws(BackendError) {
                try request.conditions.checkRead(request.key, etag: entry.etag)
            } catch {
                read.close()
                throw error
            }
            return ReadAnswer(entry: entry, range: read.range, body: .stream(Reader(read)))
        }
    }
}

/// One read.
final class Reader: ReadStream {
    private let read: RangedRead

    init(_ read: RangedRead) { self.read = read }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        try read.read(into: &buffer, call: call)
    }

    func close() { read.close() }
}
