// Removals: one, many, and whole folders.
package import CofferBackend
package import CofferModel
import CofferSystem

extension Storage {
    /// Removes an object; an absent key is success, unless `isStrict` or under a condition.
    package func remove(
        _ key: Key,
        ifMatch: Conditions.Match? = nil,
        isStrict: Bool = false,
        _ call: Call
    ) throws(CofferError) {
        try checkWritable()
        try reading(key) { backend, _, inner throws(CofferError) in
            try backend.remove(RemoveRequest(key: inner, ifMatch: ifMatch, isStrict: isStrict), timed(call))
        }
    }

    /// Removes many; the answer has one element for each item, in order, nil where it was done.
    package func removeMany(
        _ items: [(key: Key, ifMatch: Conditions.Match?)],
        _ call: Call
    ) throws(CofferError) -> [CofferError?] {
        try checkWritable()
        let backend = try backend()
        let keys = keys(backend)
        var results: [CofferError?] = Array(repeating: nil, count: items.count)
        var requests: [RemoveRequest] = []
        var places: [Int] = []
        for (index, item) in items.enumerated() {
            do throws(CofferError) {
                requests.append(RemoveRequest(key: try keys.forReading(item.key), ifMatch: item.ifMatch))
                places.append(index)
            } catch {
                results[index] = error
            }
        }
        guard !requests.isEmpty else { return results }
        let answers: [CofferError?]
        do throws(CofferError) {
            answers = try backend.removeBatch(requests, timed(call))
        } catch {
            throw keys.outer(error, key: nil)
        }
        guard answers.count == requests.count else {
            throw CofferError(
                .corrupt,
                "the store answered \(answers.count) of \(requests.count) removals",
                storage: name
            )
        }
        for (answer, place) in zip(answers, places) {
            results[place] = answer.map { keys.outer($0, key: items[place].key) }
        }
        return results
    }

    /// Removes what lies below `prefix`, by segments: `a/b` means `a/b/…` and never `a/bb`.
    ///
    /// The empty prefix, which is everything, needs `force`. What cannot be removed does not keep the rest.
    package func removePrefix(
        _ prefix: String,
        isDryRun: Bool = false,
        force: Bool = false,
        _ call: Call
    ) throws(CofferError) -> PrefixRemoval {
        if !isDryRun { try checkWritable() }
        var folder = prefix
        if folder.utf8.last == UInt8(ascii: "/") { folder = String(folder.dropLast()) }
        guard !folder.isEmpty || (force && prefix.isEmpty) else {
            throw CofferError(
                .invalidArgument,
                "the empty prefix is the whole storage and needs force",
                storage: name
            )
        }
        let listing = try openListing(ListQuery(prefix: folder.isEmpty ? "" : folder + "/"), call)
        defer { listing.close() }
        var removal = PrefixRemoval()
        var batch = ListBatch()
        var hasMore = true
        while hasMore {
            if call.cancellation.isCancelled { throw CofferError(.cancelled, "cancelled", storage: name) }
            batch.removeAll()
            hasMore = try listing.next(into: &batch, limit: 1000, call)
            let keys = batch.records.indices.filter { !batch.records[$0].isPrefix }.map { batch.key(at: $0) }
            guard !keys.isEmpty else { continue }
            let errors = isDryRun ? [] : try removeMany(keys.map { ($0, nil) }, call)
            removal.add(keys, errors)
        }
        return removal
    }
}

extension PrefixRemoval {
    /// Counts `keys`, of which those with an error were not removed.
    fileprivate mutating func add(_ keys: [Key], _ errors: [CofferError?]) {
        for (index, key) in keys.enumerated() {
            if index < errors.count, let error = errors[index] {
                failed += 1
                if failures.count < Self.keyLimit { failures.append(error) }
            } else {
                count += 1
                if self.keys.count < Self.keyLimit { self.keys.append(key) }
            }
        }
    }
}
