// Listings: sorted, grouped and started where asked, whatever the store can of it.
package import CofferModel

extension EmulatedBackend {
    /// Opens a listing in byte order.
    package func openList(_ query: ListQuery, _ call: Call) throws(CofferError) -> any ListStream {
        guard native.list else { throw CofferError(.unsupported, "the store cannot list") }
        let groups = !query.delimiter.isEmpty && !native.listDelimiter
        let filters = !query.startAfter.isEmpty && (groups || !native.listAfter)
        guard groups || filters || !native.listSorted else {
            return OwnedListStream(try bare.openList(query, call), owner: self)
        }
        if groups { try standIn(for: .listDelimiter) }
        if !query.startAfter.isEmpty, !native.listAfter { try standIn(for: .listAfter) }
        if !native.listSorted { try standIn(for: .listSorted) }
        guard query.resumeToken == nil else {
            throw CofferError(.invalidArgument, "a listing that the host sorts or groups is resumed by its last key")
        }
        var asked = query
        if groups { asked.delimiter = "" }
        if !native.listAfter { asked.startAfter = "" }
        var stream = try openSorted(asked, call)
        if groups {
            stream = GroupedListStream(
                stream,
                prefix: query.prefix,
                delimiter: query.delimiter,
                reopen: canLeap ? { [self] text, call throws(CofferError) in try leap(asked, behind: text, call) } : nil
            )
        }
        return filters ? FilteredListStream(stream, startAfter: query.startAfter) : stream
    }

    private var canLeap: Bool { native.listSorted && native.listAfter }

    private func leap(_ query: ListQuery, behind text: String, _ call: Call) throws(CofferError) -> any ListStream {
        var query = query
        query.startAfter = text
        return try openSorted(query, call)
    }

    private func openSorted(_ query: ListQuery, _ call: Call) throws(CofferError) -> any ListStream {
        let stream = OwnedListStream(try bare.openList(query, call), owner: self)
        guard !native.listSorted else { return stream }
        return SortedListStream(stream, memory: options.sortMemory, directory: options.spillDirectory)
    }
}

/// A store's listing that keeps the store open.
final class OwnedListStream: ListStream {
    private let bare: any ListStream
    private let owner: EmulatedBackend

    init(_ bare: any ListStream, owner: EmulatedBackend) {
        self.bare = bare
        self.owner = owner
    }

    deinit { bare.close() }

    /// Only where the store needs it: one that starts behind any key is resumed by the last key.
    var resumeToken: String? { owner.native.listAfter ? nil : bare.resumeToken }

    func next(into batch: inout ListBatch, limit: Int, _ call: Call) throws(CofferError) -> Bool {
        try bare.next(into: &batch, limit: limit, call)
    }

    func close() { bare.close() }
}
