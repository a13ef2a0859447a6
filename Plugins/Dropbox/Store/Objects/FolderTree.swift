// Listings: the folders of Dropbox, which come in no order, as keys in byte order.

import CofferJSON
import CofferListing
package import CofferPluginSDK

extension DropboxStorage {
    package func openList(_ request: ListRequest, call: Call) throws(BackendError) -> any ListStream {
        ObjectListing(self, request)
    }
}

/// A listing.
private final class ObjectListing: ListStream {
    private let tree: FolderTree
    private let walk: TreeListing

    init(_ storage: DropboxStorage, _ request: ListRequest) {
        tree = FolderTree(storage)
        walk = TreeListing(of: tree, request)
    }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        tree.wanted = limit
        return try walk.next(limit: limit, into: sink, call: call)
    }

    func close() { walk.close() }
}

/// The folders of a storage, as one listing walks them.
///
/// A folder is asked for with all below it; where that is more than about twice what is wanted, it is asked for again
/// alone. So a small tree costs one call, and a large one is never held whole.
private final class FolderTree: DirectoryTree {
    private static let page = 2000

    private let storage: DropboxStorage
    /// How many entries the caller is waiting for.
    var wanted = 0
    /// What folders hold, by their path, of the tree that came whole last.
    private var held: [[UInt8]: [DirectoryItem]] = [:]

    init(_ storage: DropboxStorage) { self.storage = storage }

    func readDirectory(
        _ path: [UInt8],
        call: Call,
        _ body: (DirectoryItem) throws(BackendError) -> Void
    ) throws(BackendError) {
        if held[path] == nil {
            guard let folder = storage.names.path(ofFolder: path) else { return }
            held = [:]
            guard let page = try begin(folder, isRecursive: true, call: call) else { return }
            guard page.isLast else { return try readAlone(path, folder, call: call, body) }
            held[path] = []
            for entry in page.entries { hold(entry, below: path) }
        }
        for item in held[path] ?? [] { try body(item) }
    }

    /// Reads one folder, page by page.
    private func readAlone(
        _ path: [UInt8],
        _ folder: String,
        call: Call,
        _ body: (DirectoryItem) throws(BackendError) -> Void
    ) throws(BackendError) {
        let depth = depth(of: path)
        var resets = 0
        var next = try begin(folder, isRecursive: false, call: call)
        while let page = next {
            for entry in page.entries {
                guard let (item, parents) = item(entry, depth: depth), parents.isEmpty else { continue }
                try body(item)
            }
            if page.isLast { return }
            let reply = try storage.ask(
                "files/list_folder/continue",
                ["cursor": .string(page.cursor)],
                "listing \(folder)",
                call: call
            )
            if case .refused(let refusal) = reply, refusal.says("reset"), resets < 5 {
                // From the beginning: what comes twice is listed once.
                resets += 1
                next = try begin(folder, isRecursive: false, call: call)
            } else {
                next = try Page(try reply.result("listing \(folder)"), folder)
            }
        }
    }

    /// The first page of a folder; nil where there is none.
    private func begin(_ folder: String, isRecursive: Bool, call: Call) throws(BackendError) -> Page? {
        let limit = isRecursive ? min(max(2 * min(wanted, Self.page), 100), Self.page) : Self.page
        let arguments: JSONValue = [
            "path": .string(folder), "recursive": .bool(isRecursive), "limit": .integer(Int64(limit)),
            "include_non_downloadable_files": false,
        ]
        let reply = try storage.ask("files/list_folder", arguments, "listing \(folder)", call: call)
        if case .refused(let refusal) = reply, refusal.isAbsence { return nil }
        return try Page(try reply.result("listing \(folder)"), folder)
    }

    private func depth(of path: [UInt8]) -> Int {
        storage.names.depth + path.count { $0 == UInt8(ascii: "/") }
    }

    /// Puts an entry of a tree where its folder is looked for.
    private func hold(_ entry: JSONValue, below path: [UInt8]) {
        guard let (item, parents) = item(entry, depth: depth(of: path)) else { return }
        let folder = path + parents
        held[folder, default: []].append(item)
        guard item.isDirectory else { return }
        // Known also where nothing is in it.
        let inside = folder + item.name + [UInt8(ascii: "/")]
        if held[inside] == nil { held[inside] = [] }
    }

    /// What an entry is, and the folders between; nil for what has no key, and for the folder itself.
    private func item(_ entry: JSONValue, depth: Int) -> (DirectoryItem, parents: [UInt8])? {
        guard let path = entry["path_lower"]?.stringValue, let tag = entry[".tag"]?.stringValue else { return nil }
        let names = path.utf8.split(separator: UInt8(ascii: "/")).dropFirst(depth)
        var segments: [[UInt8]] = []
        for name in names {
            guard let segment = Names.segment(of: name) else { return nil }
            segments.append(segment)
        }
        guard let last = segments.popLast() else { return nil }
        let parents = segments.flatMap { $0 + [UInt8(ascii: "/")] }
        if tag.utf8.elementsEqual("folder".utf8) { return (DirectoryItem(last[...], isDirectory: true), parents) }
        guard let facts = FileFacts(entry) else { return nil }
        let object = DirectoryItem(
            last[...],
            isDirectory: false,
            size: Int64(clamping: facts.size),
            modified: facts.modified,
            etag: facts.etag
        )
        return (object, parents)
    }
}

/// One answer of a listing.
private struct Page {
    let entries: [JSONValue]
    let cursor: String
    let isLast: Bool

    init(_ answer: JSONValue, _ folder: String) throws(BackendError) {
        guard let entries = answer["entries"]?.arrayValue, let hasMore = answer["has_more"]?.boolValue,
            let cursor = answer["cursor"]?.stringValue
        else { throw BackendError(.io, "listing \(folder): the answer of dropbox is no page", isRetryable: true) }
        self.entries = entries
        self.cursor = cursor
        isLast = !hasMore
    }
}
