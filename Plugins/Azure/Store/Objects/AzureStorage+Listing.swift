// Listings: pages of the service, cut into pages of the host.

package import CofferPluginSDK
import CofferTransport

extension AzureStorage {
    package func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        try ObjectListing(self, request)
    }
}

/// A listing.
///
/// It remembers the last entry that it sent, and the marker of the service's page in which that stood: its tokens hold
/// both, outlive changes of the store, and do not begin from the front again.
private final class ObjectListing: ListStream {
    private let storage: AzureStorage
    private let request: ListRequest
    /// Only what comes after it is sent.
    private var last: ByteString
    private var buffered: [ListingDocument.Item] = []
    private var position = 0
    /// What gave the page that is buffered, and what gives the next.
    private var marker = ""
    private var next: String?
    private var isAtEnd = false
    /// What the first page began after; nil before it came.
    private var start: ByteString?
    private var pageSize = 0
    /// What the service is asked for; nil where no name begins like that.
    private let prefix: String?
    /// Whether the service groups: only slashes stand in names as they do in keys.
    private let isGrouped: Bool

    /// The version from which on listings can begin anywhere.
    private static let startVersion = "2026-02-06"

    init(_ storage: AzureStorage, _ request: ListRequest) throws(BackendError) {
        self.storage = storage
        self.request = request
        prefix = request.prefix.validPart.flatMap { BlobName.isPossible($0) ? BlobName.prefix(of: $0) : nil }
        isGrouped = request.delimiter == "/"
        guard !request.token.isEmpty else {
            last = request.startAfter
            return
        }
        let bytes = request.token.bytes
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")), let marker = percentDecoded(bytes[..<slash]),
            let text = String(validating: marker, as: UTF8.self), bytes.count - slash <= 1025,
            String(validating: bytes[(slash + 1)...], as: UTF8.self) != nil
        else { throw BackendError(.invalidArgument, "the token is not one of this listing") }
        last = ByteString(Array(bytes[(slash + 1)...]))
        next = text.isEmpty ? nil : text
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        var sent = 0
        while sent < limit {
            if position == buffered.count {
                if isAtEnd { return .end }
                try fetch(limit - sent, call: call)
                continue
            }
            try send(buffered[position], into: sink)
            last = buffered[position].key
            position += 1
            sent += 1
        }
        if position == buffered.count && isAtEnd { return .end }
        let place = position == buffered.count ? next ?? marker : marker
        return .more(token: ByteString(Array("\(percentEncoded(place.utf8))/".utf8) + last.bytes))
    }

    func close() {}

    private func send(_ item: ListingDocument.Item, into sink: EntrySink) throws(BackendError) {
        if item.isPrefix {
            try sink.sendPrefix(item.key)
        } else if request.wantsMetadata {
            var entry = ObjectHead.entry(item.key, item.headers, size: item.size)
            (entry.etag, entry.modified) = (item.etag, item.modified)
            try sink.send(entry)
        } else {
            try sink.sendObject(key: item.key, size: item.size, modified: item.modified, etag: item.etag)
        }
    }

    /// Takes the next page of the service, without what was sent already.
    private func fetch(_ wanted: Int, call: Call) throws(BackendError) {
        // Whoever reads on gets more at once.
        pageSize = min(max(wanted, pageSize * 2), 5000)
        let isPast = last > request.prefix && !last.hasPrefix(request.prefix)
        guard let prefix, !isPast else {
            isAtEnd = true
            return
        }
        var query = [
            (name: "restype", value: "container"), (name: "comp", value: "list"),
            (name: "maxresults", value: String(pageSize)),
        ]
        if !prefix.isEmpty { query.append((name: "prefix", value: prefix)) }
        if isGrouped { query.append((name: "delimiter", value: "/")) }
        if request.wantsMetadata { query.append((name: "include", value: "metadata")) }
        let answer: HTTPAnswer
        if let next {
            answer = try ask(query + [(name: "marker", value: next)], call: call)
        } else {
            answer = try askFromStart(query, call: call)
        }
        let page = try ListingDocument(answer.body, wantsHeads: request.wantsMetadata)
        buffered = page.items
        take(&buffered)
        position = 0
        marker = next ?? ""
        next = page.next
        isAtEnd = page.next == nil
    }

    /// Keeps what is wanted of a page, by its keys.
    private func take(_ items: inout [ListingDocument.Item]) {
        for index in items.indices { items[index].key = BlobName.key(of: items[index].key) }
        // Later pages go on where the one before ended. Nothing of them is dropped by its order: nobody says how the
        // service sorts characters beyond U+FFFF.
        let (before, exact, isFirst) = (last, request.prefix, start == nil)
        if isFirst { start = last }
        items.removeAll { item in
            let isWanted = isFirst ? before.isEmpty || item.key > before : item.key != before
            return !isWanted || !item.key.hasPrefix(exact)
        }
        guard !isGrouped, !request.delimiter.isEmpty else { return }
        var common = last
        var groups: [ListingDocument.Item] = []
        for var item in items {
            if let group = item.key.front(through: request.delimiter, after: exact.count) {
                // What goes on with a group that was sent is part of it.
                guard group != common, group > start ?? .empty else { continue }
                item = ListingDocument.Item()
                (item.key, item.isPrefix) = (group, true)
                common = group
            }
            groups.append(item)
        }
        items = groups
    }

    private func ask(
        _ query: [(name: String, value: String)],
        version: String? = nil,
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        let place = storage.configuration.place
        var question = HTTPRequest("GET", "\(place.containerPath)?\(encodedQuery(query))")
        question.headers["x-ms-version"] = version
        question.answerLimit = 64 << 20
        return try storage.send(question, "listing \(place.container)", call: call)
    }

    /// The first page: from where the listing shall begin, if the service is young enough to know that.
    ///
    /// An older one begins at the front; what is not wanted is dropped here in either case.
    private func askFromStart(
        _ query: [(name: String, value: String)],
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        let start = BlobName.prefix(of: BlobName.possibleFront(last.validPart ?? ""))
        guard last > request.prefix, !start.isEmpty, storage.startsListings.withLock({ $0 }) else {
            return try ask(query, call: call)
        }
        do throws(BackendError) {
            return try ask(query + [(name: "startFrom", value: start)], version: Self.startVersion, call: call)
        } catch {
            guard error.native == 400 else { throw error }
            let answer = try ask(query, call: call)
            storage.startsListings.withLock { $0 = false }
            return answer
        }
    }
}

extension ByteString {
    /// The bytes up to and with the first delimiter from a place on; nil where there is none.
    fileprivate func front(through delimiter: ByteString, after start: Int) -> ByteString? {
        let wanted = delimiter.count
        guard count >= start + wanted else { return nil }
        for at in start...(count - wanted) where bytes[at..<at + wanted].elementsEqual(delimiter.bytes) {
            return ByteString(Array(bytes[..<(at + wanted)]))
        }
        return nil
    }

    /// The bytes as text, without a character that is cut off at their end; nil if they are no UTF-8 before that.
    fileprivate var validPart: String? {
        for cut in 0...min(3, count) {
            if let text = String(validating: bytes.dropLast(cut), as: UTF8.self) { return text }
        }
        return nil
    }
}
