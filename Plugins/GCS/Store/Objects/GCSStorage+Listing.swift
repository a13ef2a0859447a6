// Listings: pages of the store, cut into pages of the host.

package import CofferPluginSDK
import CofferTransport

extension GCSStorage {
    package func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        try ObjectListing(self, request)
    }
}

/// A listing.
///
/// It remembers the last entry that it sent, so that its tokens outlive changes of the store.
private final class ObjectListing: ListStream {
    private let storage: GCSStorage
    private let request: ListRequest
    /// Only what comes after it is sent.
    private var last: ByteString
    private var buffered: [ListingDocument.Item] = []
    private var position = 0
    /// What continues the store's own listing.
    private var continuation: String?
    private var isAtEnd = false
    private var pageSize = 0

    /// The most entries of a page that Google advises.
    private static let largestPage = 1000

    init(_ storage: GCSStorage, _ request: ListRequest) throws(BackendError) {
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
            guard position < buffered.count else {
                if isAtEnd { return .end }
                try fetch(limit - sent, call: call)
                continue
            }
            let item = buffered[position]
            if let entry = item.entry { try sink.send(entry) } else { try sink.sendPrefix(item.key) }
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
        try call.check()
        // Whoever reads on gets more at once.
        pageSize = min(max(wanted, pageSize * 2), Self.largestPage)
        guard let prefix = request.prefix.text, let delimiter = request.delimiter.text else {
            // Every key is UTF-8: none can begin like that.
            isAtEnd = true
            return
        }
        let described =
            request.wantsMetadata
            ? ",timeCreated,crc32c,md5Hash,contentType,contentEncoding,contentDisposition,contentLanguage,cacheControl"
                + ",storageClass,metadata" : ""
        let members = "name,size,updated,generation,metageneration\(described)"
        var query = [
            (name: "maxResults", value: String(pageSize)),
            (name: "fields", value: "nextPageToken,prefixes,items(\(members))"),
        ]
        if !prefix.isEmpty { query.append((name: "prefix", value: prefix)) }
        if !delimiter.isEmpty { query.append((name: "delimiter", value: delimiter)) }
        if let start { query.append((name: "startOffset", value: start)) }
        if let continuation { query.append((name: "pageToken", value: continuation)) }
        let place = storage.configuration.place
        let question = HTTPRequest("GET", "\(place.objectsPath)?\(encodedQuery(query))")
        let answer = try storage.send(question, "listing \(place.container)", call: call)
        let page = try ListingDocument(answer.body, isDescribed: request.wantsMetadata)
        let (before, exact) = (last, request.prefix)
        let isExact = prefix.utf8.count == exact.count
        buffered = page.items
        if !before.isEmpty || !isExact { buffered.removeAll { !($0.key > before && $0.key.hasPrefix(exact)) } }
        position = 0
        continuation = page.next
        isAtEnd = page.next == nil
    }

    /// Where the store begins, the same for all pages of one listing of the store; nil is at the first key.
    private lazy var start: String? = {
        guard !last.isEmpty else { return nil }
        let isPrefix =
            !request.delimiter.isEmpty && last.count > request.delimiter.count
            && last.bytes.suffix(request.delimiter.count).elementsEqual(request.delimiter.bytes)
        let start = last.text ?? ""
        // Behind all that a common prefix stands for, if the last entry was one.
        return isPrefix ? start + "\u{10FFFF}" : start.isEmpty ? nil : start
    }()
}

extension ByteString {
    /// The bytes as text, without a character that is cut off at their end; nil if they are no UTF-8 before that.
    fileprivate var text: String? {
        for cut in 0...min(3, count) {
            if let text = String(validating: bytes.dropLast(cut), as: UTF8.self) { return text }
        }
        return nil
    }
}
