// Listings: pages of the store, cut into pages of the host.

package import CofferPluginSDK
import CofferTransport

extension OpenStackStorage {
    package func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        try ObjectListing(self, request)
    }

    /// One page of a container, after a marker.
    func page(
        of container: String,
        at place: Place,
        prefix: String,
        delimiter: String = "",
        after marker: String,
        limit: Int,
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        var query = [(name: "format", value: "json"), (name: "limit", value: String(limit))]
        if !prefix.isEmpty { query.append((name: "prefix", value: prefix)) }
        if !delimiter.isEmpty { query.append((name: "delimiter", value: delimiter)) }
        if !marker.isEmpty { query.append((name: "marker", value: marker)) }
        var question = HTTPRequest("GET", "\(container)?\(encodedQuery(query))")
        addNewest(to: &question)
        // A thousand keys of a thousand characters, each of which is written as six.
        question.answerLimit = 32 << 20
        return try place.endpoint.send(question, call: call)
    }
}

/// A listing.
///
/// It remembers the last entry that it sent, so that its tokens outlive changes of the store.
private final class ObjectListing: ListStream {
    private let storage: OpenStackStorage
    private let request: ListRequest
    /// Only what comes after it is sent.
    private var last: ByteString
    private var buffered: [ListingDocument.Item] = []
    private var position = 0
    /// What continues the store's own listing: its last line.
    private var marker: String?
    private var isAtEnd = false
    private var pageSize = 0

    init(_ storage: OpenStackStorage, _ request: ListRequest) throws(BackendError) {
        self.storage = storage
        self.request = request
        guard !request.token.isEmpty else {
            last = request.startAfter
            return
        }
        guard request.token.bytes.first == UInt8(ascii: "k"), request.token.count <= 1025,
            String(validating: request.token.bytes, as: UTF8.self) != nil
        else { throw BackendError(.invalidArgument, "the token is not one of this listing") }
        last = ByteString(Array(request.token.bytes.dropFirst()))
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        var sent = 0
        while sent < limit {
            if position == buffered.count {
                if isAtEnd { return .end }
                try fetch(limit - sent, call: call)
                continue
            }
            let item = buffered[position]
            if item.isPrefix {
                try sink.sendPrefix(item.key)
            } else {
                try sink.sendObject(key: item.key, size: item.size, modified: item.modified, etag: item.etag)
            }
            position += 1
            last = item.key
            sent += 1
        }
        if position == buffered.count && isAtEnd { return .end }
        return .more(token: ByteString([UInt8(ascii: "k")] + last.bytes))
    }

    func close() {}

    /// Takes the next page of the store, without what was sent already.
    private func fetch(_ wanted: Int, call: Call) throws(BackendError) {
        // Whoever reads on gets more at once.
        pageSize = min(max(wanted, pageSize * 2), 1000)
        guard let prefix = request.prefix.validPart, let delimiter = request.delimiter.validPart else {
            // Every key is UTF-8: none can begin like that.
            isAtEnd = true
            return
        }
        let place = try storage.place(call: call)
        let answer = try storage.page(
            of: place.containerPath,
            at: place,
            prefix: prefix,
            delimiter: delimiter,
            after: marker ?? startAfter,
            limit: pageSize,
            call: call
        )
        let doing = "listing \(place.container)"
        if answer.status == 404 { throw Refusal.noContainer(doing) }
        guard answer.head.isSuccess else { throw Refusal.error(answer, doing) }
        storage.noteContainer()
        let page = try ListingDocument(answer.body).items
        let (before, exact) = (last, request.prefix)
        let isExact = prefix.utf8.count == exact.count
        isAtEnd = page.count < pageSize
        marker = page.last.map { markerBehind($0.key, isPrefix: $0.isPrefix) }
        buffered = page
        if !before.isEmpty || !isExact { buffered.removeAll { !($0.key > before && $0.key.hasPrefix(exact)) } }
        position = 0
        try lookAtManifests(at: place, call: call)
    }

    /// A store that lists the size of a manifest is asked for that of the object.
    private func lookAtManifests(at place: Place, call: Call) throws(BackendError) {
        let indices = buffered.indices.filter { buffered[$0].isManifest }
        guard !indices.isEmpty else { return }
        let questions = indices.map { HTTPRequest("HEAD", place.path(buffered[$0].key)) }
        try place.endpoint.sendAll(questions, call: call) { (position, result) throws(BackendError) in
            let index = indices[position]
            let key = buffered[index].key
            let answer = try result.get()
            // What went away meanwhile is listed as it was.
            guard answer.status != 404 else { return }
            guard answer.head.isSuccess else { throw Refusal.error(answer, "looking at \(key)", key: key) }
            let entry = storage.entry(key, answer.head)
            (buffered[index].size, buffered[index].etag, buffered[index].modified) =
                (entry.size, entry.etag, entry.modified)
        }
    }

    /// Where the store begins.
    private var startAfter: String {
        let isPrefix =
            !request.delimiter.isEmpty && last.count > request.delimiter.count
            && last.bytes.suffix(request.delimiter.count).elementsEqual(request.delimiter.bytes)
        return markerBehind(last, isPrefix: isPrefix)
    }

    /// A marker behind an entry, and behind all that a common prefix stands for.
    private func markerBehind(_ key: ByteString, isPrefix: Bool) -> String {
        let start = key.validPart ?? ""
        return isPrefix ? start + "\u{10FFFF}" : start
    }
}

extension ByteString {
    /// The bytes as text, without a character that is cut off at their end; nil if they are no UTF-8 before that.
    fileprivate var validPart: String? {
        for cut in 0...min(3, count) {
            if let text = String(validating: bytes.dropLast(cut), as: UTF8.self) { return text }
        }
        return nil
    }
}
