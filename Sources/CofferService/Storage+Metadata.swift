// Changes of metadata: a copy onto itself, bound to the version that was looked at.
package import CofferBackend
package import CofferModel

extension Storage {
    /// Changes the metadata of an object and leaves its bytes.
    ///
    /// Two such changes at once both happen, where the store or the host can bind a change to a version.
    ///
    /// - Throws: ``CofferError`` with `unsupported` where the store cannot without writing the bytes again.
    package func updateMetadata(
        _ key: Key,
        _ patch: MetadataPatch,
        conditions: Conditions = .none,
        _ call: Call
    ) throws(CofferError) -> ObjectInfo {
        try checkWritable()
        let call = timed(call)
        return try reading(key) { backend, keys, inner throws(CofferError) in
            guard backend.capabilities[.copyMetadata].grade == .native else {
                throw CofferError(.unsupported, "this store cannot change metadata without writing the bytes again")
            }
            guard conditions.ifNoneMatch == nil else {
                throw CofferError(.unsupported, "if-none-match means nothing to a change of metadata")
            }
            guard conditions.ifMatch == nil || backend.keepsConditionsInPlace else {
                throw CofferError(.unsupported, "this store cannot change metadata under a condition")
            }
            var attempts = 0
            while true {
                attempts += 1
                let info = try backend.stat(ReadRequest(key: inner, conditions: conditions), call)
                let metadata = try judged(patch.applied(to: info.metadata), key: key, backend)
                var request = CopyRequest(from: inner, to: inner, metadata: metadata, attempt: UniqueName.attempt())
                if backend.keepsConditionsInPlace, let etag = info.etag {
                    request.conditions = Conditions(ifMatch: .tokens([etag]))
                }
                do throws(CofferError) {
                    return keys.outer(try backend.copy(request, call))
                } catch {
                    let isLost = error.code == .preconditionFailed || error.code == .changed
                    guard isLost, conditions.isEmpty, attempts < 10 else { throw error }
                }
            }
        }
    }
}
