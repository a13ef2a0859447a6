// One storage on GridFS: looking, reading, writing, removing.

import CofferPluginSDK
import GridFSModel

/// One storage on GridFS.
final class Store: Sendable {
    let server: Server
    let bucket: Bucket
    let chunkSize: Int
    private let janitor: Janitor

    var claims: Claims { Claims(bucket: bucket) }
    var trash: Trash { Trash(bucket: bucket) }
    /// How bytes and descriptions are read for those who only want to see them.
    var nearReads: Server.Manner { server.readsElsewhere ? .readNear : .read }

    init(_ configuration: Configuration) {
        server = configuration.server
        bucket = Bucket(configuration.bucket, on: configuration.server)
        chunkSize = configuration.chunkSize
        janitor = Janitor(bucket, abandonedAfter: configuration.abandonedAfter)
    }

    /// Ends what goes on by itself.
    func close() { janitor.stop() }

    /// The newest version of a key, by the rule of GridFS: the latest `uploadDate`.
    func newest(_ key: ByteString, _ manner: Server.Manner, _ patience: Patience) throws(BackendError) -> StoredFile? {
        janitor.startIfDue()
        for _ in 0..<2 {
            let found = try bucket.find(
                in: bucket.files,
                .whose("filename", is: key),
                sort: [("uploadDate", -1)],
                limit: 1,
                manner,
                patience
            )
            if let document = found.first {
                guard let file = StoredFile(document) else {
                    throw BackendError(.corrupt, "the document in files is none of GridFS: \(key)")
                }
                return file
            }
            // The walk goes backwards: had a version been replaced just then, it could have missed both.
        }
        return nil
    }

    private func existing(_ request: ReadRequest, _ call: Call) throws(BackendError) -> StoredFile {
        guard let file = try newest(request.key, nearReads, Patience(call)) else { throw .notFound(request.key) }
        try request.conditions.checkRead(request.key, etag: file.etag)
        return file
    }

    func stat(_ request: ReadRequest, _ call: Call) throws(BackendError) -> Entry {
        try existing(request, call).entry()
    }

    func openRead(_ request: ReadRequest, _ call: Call) throws(BackendError) -> ReadAnswer {
        while true {
            let file = try existing(request, call)
            let range = try request.range.resolve(size: file.length)
            let download = Download(file, range, in: self)
            if try download.begin(call) {
                return ReadAnswer(entry: file.entry(), range: range, body: .stream(download))
            }
            // Another version is there by now, or none.
            try call.check()
        }
    }

    func beginWrite(_ request: WriteRequest, _ call: Call) throws(BackendError) -> Upload {
        if !request.conditions.isEmpty {
            let present = try newest(request.key, .read, Patience(call))
            try request.conditions.checkWrite(request.key, existing: present?.etag)
        }
        janitor.startIfDue()
        return Upload(request, in: self)
    }

    func remove(_ request: RemoveRequest, _ call: Call) throws(BackendError) {
        let patience = Patience(call)
        // Nothing there needs no claim.
        guard try newest(request.key, .read, patience) != nil else {
            _ = try request.check(existing: nil)
            return
        }
        try claims.change(request.key, patience) { (versions) throws(BackendError) -> Change? in
            guard try request.check(existing: versions.last?.etag) else { return nil }
            return Change(edit: nil, over: versions.map(\.id))
        }
    }
}
