// Listings: whole, or page by page under cursors.
package import CofferBackend
package import CofferModel

extension Storage {
    /// The most entries of one page.
    package static let pageLimit = 10_000

    /// One page of at most `limit` entries (1 to ``pageLimit``; 0 is an empty page), from `cursor` on.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` for a cursor that is not this query's.
    package func page(
        _ query: ListQuery,
        cursor: String? = nil,
        limit: Int,
        _ call: Call
    ) throws(CofferError) -> ListPage {
        guard limit >= 0 else { throw CofferError(.invalidArgument, "limit is negative", storage: name) }
        let start = try cursor.map { text throws(CofferError) in
            try located { () throws(CofferError) in try ListCursor(text, for: query).place }
        }
        guard limit > 0 else { return ListPage(batch: ListBatch(), cursor: cursor) }
        let kept = cursor.flatMap { listings.take($0) }
        let stream = if let kept { kept } else { try reopen(query, start, call) }
        var batch = ListBatch()
        var hasMore = true
        do throws(CofferError) {
            let limit = min(limit, Self.pageLimit)
            while hasMore, batch.count < limit {
                hasMore = try stream.next(into: &batch, limit: limit - batch.count, call)
            }
        } catch {
            stream.close()
            throw error
        }
        guard hasMore, let last = batch.records.last else {
            stream.close()
            return ListPage(batch: batch, cursor: nil)
        }
        let next = ListCursor(place(behind: batch.text(last.key), stream)).encoded(for: query)
        listings.keep(stream, for: next)
        return ListPage(batch: batch, cursor: next)
    }

    /// A store that starts anywhere needs only the last key; its own token serves one that cannot.
    private func place(behind key: String, _ stream: any ListStream) -> ListCursor.Place {
        guard let token = stream.resumeToken else { return .after(key) }
        return .token(token)
    }

    private func reopen(
        _ query: ListQuery,
        _ place: ListCursor.Place?,
        _ call: Call
    ) throws(CofferError) -> any ListStream {
        var query = query
        switch place {
        case .after(let key): query.startAfter = key
        case .token(let token): query.resumeToken = token
        case nil: break
        }
        return try openListing(query, call)
    }

    /// Opens the whole listing, to be read page by page and closed.
    package func openListing(_ query: ListQuery, _ call: Call) throws(CofferError) -> any ListStream {
        try located { () throws(CofferError) in
            let backend = try backend()
            let keys = keys(backend)
            for text in [query.prefix, query.delimiter, query.startAfter] where !text.isEmpty {
                try Key(text).checkForReading()
                guard keys.prefix.isEmpty || !Key(text).hasDotSegments else {
                    throw CofferError(.invalidArgument, "a listing here takes no segments . or ..")
                }
            }
            var inner = query
            inner.prefix = keys.prefix + query.prefix
            inner.startAfter = query.startAfter.isEmpty ? "" : keys.prefix + query.startAfter
            do throws(CofferError) {
                return StorageListStream(try backend.openList(inner, timed(call)), keys, self.policy.stepTimeout)
            } catch {
                throw keys.outer(error, key: nil)
            }
        }
    }

    /// Runs `body`; its errors name this storage.
    func located<Result>(_ body: () throws(CofferError) -> Result) throws(CofferError) -> Result {
        do throws(CofferError) {
            return try body()
        } catch {
            throw error.located(storage: name)
        }
    }
}

/// A listing whose keys are those of the callers.
final class StorageListStream: ListStream {
    private let inner: any ListStream
    private let keys: KeySpace
    private let stepTimeout: Int64?

    init(_ inner: any ListStream, _ keys: KeySpace, _ stepTimeout: Int64?) {
        self.inner = inner
        self.keys = keys
        self.stepTimeout = stepTimeout
    }

    deinit { inner.close() }

    /// Only where the store cannot start behind a key by itself.
    var resumeToken: String? { inner.resumeToken }

    func next(into batch: inout ListBatch, limit: Int, _ call: Call) throws(CofferError) -> Bool {
        let start = batch.count
        do throws(CofferError) {
            var call = call
            if let stepTimeout { call.stepTimeout = min(stepTimeout, call.stepTimeout ?? stepTimeout) }
            let hasMore = try inner.next(into: &batch, limit: limit, call)
            keys.strip(&batch, from: start)
            return hasMore
        } catch {
            throw keys.outer(error, key: nil)
        }
    }

    func close() { inner.close() }
}
