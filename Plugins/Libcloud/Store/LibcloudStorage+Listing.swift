// Listings: pages that children make, each from a place on, so that no process is held between two of them.

import CofferJSON
package import CofferPluginSDK

extension LibcloudStorage {
    package func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        try PagedListing(self, request)
    }
}

/// A listing, which remembers the last entry that it sent: its tokens outlive changes of the store.
private final class PagedListing: ListStream {
    private static let leastWindow = 1000
    private static let mostWindow = 32_000

    private struct Row {
        var name: ByteString
        var size: Int64
        var modified: Int64
        var etag: ByteString
    }

    private let storage: LibcloudStorage
    private let request: ListRequest
    private var last: ByteString
    private var rows: [Row] = []
    private var position = 0
    private var window = 0
    private var isAtEnd = false

    init(_ storage: LibcloudStorage, _ request: ListRequest) throws(BackendError) {
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
            if position == rows.count {
                if isAtEnd { return .end }
                try fetch(limit - sent, call: call)
                continue
            }
            let row = rows[position]
            if row.size < 0 {
                try sink.sendPrefix(row.name)
            } else {
                try sink.sendObject(key: row.name, size: row.size, modified: row.modified, etag: row.etag)
            }
            position += 1
            last = row.name
            sent += 1
        }
        if position == rows.count && isAtEnd { return .end }
        return .more(token: ByteString([UInt8(ascii: "k")] + last.bytes))
    }

    func close() {}

    /// Has a child make the next window; whoever reads on gets a larger one, since many drivers begin anew for each.
    private func fetch(_ wanted: Int, call: Call) throws(BackendError) {
        window = min(max(wanted, window * 4, window == 0 ? 1 : Self.leastWindow), Self.mostWindow)
        rows = []
        position = 0
        // Every name is UTF-8: none begins with what is not.
        guard let prefix = request.prefix.validPart, let delimiter = request.delimiter.validPart else {
            isAtEnd = true
            return
        }
        var question = Question("list", "listing \(storage.configuration.container)")
        question["prefix"] = .string(prefix)
        question["delimiter"] = .string(delimiter)
        question["after"] = .string(last.validPart ?? "")
        question["limit"] = .integer(Int64(window))
        let (before, exact) = (last, request.prefix)
        var found: [Row] = []
        let end = try storage.pool.ask(question, call: call) { answer throws(BackendError) in
            for item in answer.head["rows"]?.arrayValue ?? [] {
                guard let fields = item.arrayValue, fields.count == 4, let name = fields[0].stringValue else {
                    continue
                }
                let row = Row(
                    name: ByteString(name),
                    size: fields[1].integerValue ?? -1,
                    modified: fields[2].integerValue ?? Entry.unknownTime,
                    etag: ByteString(fields[3].stringValue ?? "")
                )
                if row.name > before && row.name.hasPrefix(exact) { found.append(row) }
            }
        }
        rows = found
        isAtEnd = end.head["more"]?.boolValue != true
        // A window of which nothing is wanted cannot go on from its last entry.
        if rows.isEmpty && !isAtEnd { isAtEnd = true }
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
