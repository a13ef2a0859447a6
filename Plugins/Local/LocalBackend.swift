// The backend that keeps objects as plain files below a directory.

import CLocal
import CofferPluginSDK
import Glibc

/// Objects as plain files: the object `a/b` is the file `a/b` below the root.
final class LocalBackend: StorageBackend {
    private let store: Store
    private let host: HostServices
    let traits: Traits

    init(name: String, options: Options, host: HostServices, call: Call) throws(BackendError) {
        let configuration = try Configuration(options)
        self.host = host
        store = try configuration.openStore()
        traits = configuration.traits(of: store)
        store.sweepIfReserved()
    }

    func close() { store.sweeper.stop() }

    func health(call: Call) throws(BackendError) -> Properties {
        let root = store.tree.root.number
        if !store.isReadOnly {
            try explaining("the root is not writable") { () throws(Refusal) in
                try Refusal.check(local_writable(root))
            }
        }
        var space = local_space()
        try explaining("the root is not reachable") { () throws(Refusal) in
            try Refusal.check(local_space_of(root, &space))
        }
        let facts = try explaining("the root is not reachable") { () throws(Refusal) in
            try store.tree.root.facts()
        }
        guard facts.links > 0 else { throw BackendError(.unavailable, "the root was removed") }
        return ["bytes_free": String(space.available), "bytes_total": String(space.total)]
    }

    func stat(_ request: ReadRequest, call: Call) throws(BackendError) -> Entry {
        let entry = try existing(request).entry(request.key)
        return entry
    }

    func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        let snapshot = try existing(request)
        let range = try request.range.resolve(size: snapshot.facts.size)
        let body: ReadAnswer.Body
        if request.wantsDescriptor {
            var flags: DescriptorFlags = [.seekable, .shareable]
            if snapshot.isUnchanged && !store.settings.isHashing { flags.insert(.immutable) }
            body = .descriptor(snapshot.file.release(), flags: flags, offset: range.lowerBound)
            return ReadAnswer(entry: snapshot.entry(request.key), range: range, body: body)
        }
        body = .stream(FileReader(snapshot, range))
        return ReadAnswer(entry: snapshot.entry(request.key), range: range, body: body)
    }

    private func existing(_ request: ReadRequest) throws(BackendError) -> Snapshot {
        let place = try store.settings.layout.place(of: request.key.bytes)
        guard let snapshot = try store.open(place) else {
            if !request.conditions.ifMatch.isEmpty {
                throw BackendError(.precondition, "no such object: \(request.key)")
            }
            throw .notFound(request.key)
        }
        try request.conditions.checkRead(request.key, etag: snapshot.token)
        return snapshot
    }

    func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        let place = try store.settings.layout.place(of: request.key.bytes)
        return try FileWriter(store, request, place)
    }

    func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        try store.remove(request, at: try store.settings.layout.place(of: request.key.bytes), call: call)
    }

    func removeBatch(_ requests: [RemoveRequest], results: BatchResults, call: Call) throws(BackendError) {
        for (index, request) in requests.enumerated() {
            try call.check()
            do throws(BackendError) {
                try remove(request, call: call)
            } catch {
                try results.report(index, error)
                continue
            }
            try results.report(index)
        }
    }

    func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        Listing(of: store, request)
    }

    func copy(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        let layout = store.settings.layout
        let (from, to) = (try layout.place(of: request.from.bytes), try layout.place(of: request.to.bytes))
        return try store.copy(request, from: from, to: to, call: call)
    }

    func move(_ request: CopyRequest, call: Call) throws(BackendError) -> Entry {
        let layout = store.settings.layout
        let (from, to) = (try layout.place(of: request.from.bytes), try layout.place(of: request.to.bytes))
        return try store.move(request, from: from, to: to, call: call)
    }

    func usage(call: Call) throws(BackendError) -> Usage {
        var space = local_space()
        try explaining("the root is not reachable") { () throws(Refusal) in
            try Refusal.check(local_space_of(store.tree.root.number, &space))
        }
        return Usage(bytesFree: space.available, bytesTotal: space.total)
    }
}
