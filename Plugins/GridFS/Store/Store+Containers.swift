// Buckets of GridFS as containers: each is a pair of collections.

import CofferPluginSDK
import GridFSModel

extension Store {
    private static let ending = Array(".files".utf8)

    /// Sends the name of each bucket of the database.
    func listContainers(into sink: EntrySink, _ call: Call) throws(BackendError) {
        for name in try collections(Patience(call)) where name.suffix(Self.ending.count).elementsEqual(Self.ending) {
            try sink.send(Entry(ByteString(name.dropLast(Self.ending.count)), kind: .container))
        }
    }

    /// Makes the collections and the indexes of a bucket.
    func makeContainer(_ name: ByteString, _ call: Call) throws(BackendError) {
        let bucket = try Bucket(named: name, on: server)
        guard try !exists(bucket, Patience(call)) else {
            throw BackendError(.alreadyExists, "the bucket exists: \(name)")
        }
        try bucket.prepare(Patience(call))
    }

    /// Removes an empty bucket.
    func removeContainer(_ name: ByteString, _ call: Call) throws(BackendError) {
        let patience = Patience(call)
        let bucket = try Bucket(named: name, on: server)
        guard try exists(bucket, patience) else { throw BackendError(.notFound, "no such bucket: \(name)") }
        // An upload that is about to be published has a document too.
        guard try bucket.find(in: bucket.files, .empty, only: ["_id"], limit: 1, .read, patience).isEmpty else {
            throw BackendError(.notEmpty, "the bucket is not empty: \(name)")
        }
        for collection in [bucket.own, bucket.chunks, bucket.files] {
            do throws(BackendError) {
                _ = try server.run(.make { $0.append("drop", collection) }, .write, patience)
            } catch {
                // One that was never made needs no removal.
                if error.native != ServerCode.namespaceNotFound { throw error }
            }
        }
    }

    private func exists(_ bucket: Bucket, _ patience: Patience) throws(BackendError) -> Bool {
        try collections(patience).contains { $0.elementsEqual(bucket.files.utf8) }
    }

    private func collections(_ patience: Patience) throws(BackendError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var command = Document.make {
            $0.append("listCollections", Int32(1))
            $0.append("nameOnly", true)
        }
        while true {
            guard let cursor = try server.run(command, .read, patience)["cursor"]?.fields else {
                throw BackendError(.corrupt, "the server's answer to listCollections has no names")
            }
            let batch = cursor["firstBatch"]?.elements ?? cursor["nextBatch"]?.elements ?? []
            names += batch.compactMap { $0.fields?["name"]?.text }
            guard let next = cursor["id"], next.integer != 0, !batch.isEmpty else {
                return names.sorted(by: Self.isBefore)
            }
            command = Document.make {
                $0.append("getMore", next)
                $0.append("collection", "$cmd.listCollections")
            }
        }
    }

    private static func isBefore(_ left: [UInt8], _ right: [UInt8]) -> Bool { ByteString(left) < ByteString(right) }
}
