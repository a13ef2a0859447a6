// Keys below the root in byte order, folder by folder.

import CofferPluginSDK
import CofferTransport

/// One listing: a walk down the tree, with one frame for each folder on the way.
///
/// 1. Entries come in strictly rising byte order of key or prefix, since a folder sorts as its name with a slash.
/// 2. A folder is read whole, once, when the walk enters it, and only if a key below it can match.
/// 3. What vanishes meanwhile is skipped. A folder that holds no object is no prefix of anything.
final class Listing: ListStream {
    /// One member of a folder; a folder's name has a slash at its end.
    private struct Member {
        var name: [UInt8]
        var isFolder: Bool
        var size: Int64
        var modified: Int64
        var tag: ByteString
    }

    private struct Frame {
        /// The keys of the folder begin so: empty, or with a slash at the end.
        var path: [UInt8]
        var members: [Member]
        var next = 0
    }

    private let store: Store
    private let prefix: [UInt8]
    private let delimiter: [UInt8]
    private let wantsMetadata: Bool
    private var frames: [Frame] = []
    private var hasBegun = false
    /// Everything that begins so was told as one prefix.
    private var told: [UInt8]?
    private var last: ByteString

    init(_ request: ListRequest, in store: Store) {
        self.store = store
        prefix = request.prefix.bytes
        delimiter = request.delimiter.bytes
        wantsMetadata = request.wantsMetadata
        last = request.token.isEmpty ? request.startAfter : request.token
    }

    func close() { frames = [] }

    func next(limit: Int, into sink: EntrySink, call: Call) throws(BackendError) -> ListPage {
        if !hasBegun {
            hasBegun = true
            let folder = prefix.lastIndex(of: UInt8(ascii: "/")).map { Array(prefix[...$0]) } ?? []
            try enter(folder, call)
        }
        var left = limit
        while left > 0 {
            try call.check()
            guard let frame = frames.indices.last else { return .end }
            guard frames[frame].next < frames[frame].members.count else {
                frames.removeLast()
                continue
            }
            let member = frames[frame].members[frames[frame].next]
            frames[frame].next += 1
            if try tell(member, below: frames[frame].path, sink, call) { left -= 1 }
        }
        return frames.isEmpty ? .end : .more(token: last)
    }

    /// Whether something was sent.
    private func tell(
        _ member: Member,
        below path: [UInt8],
        _ sink: EntrySink,
        _ call: Call
    ) throws(BackendError) -> Bool {
        let key = path + member.name
        if let told, key.starts(with: told) { return false }
        let shared = min(key.count, prefix.count)
        guard key[..<shared].elementsEqual(prefix[..<shared]), member.isFolder || key.count >= prefix.count else {
            return false
        }
        if let common = commonPrefix(of: key) {
            guard member.isFolder ? try holdsObject(key, call) : true else { return false }
            told = common
            guard ByteString(common) > last else { return false }
            try sink.sendPrefix(ByteString(common))
            last = ByteString(common)
            return true
        }
        guard !member.isFolder else {
            // All below it comes before the start where it does and is no beginning of it.
            if ByteString(key) < last, !last.bytes.starts(with: key) { return false }
            try enter(key, call)
            return false
        }
        let name = ByteString(key)
        guard name > last else { return false }
        last = name
        if wantsMetadata && store.settings.keepsProperties {
            do throws(BackendError) {
                try sink.send(store.entry(of: name, call))
                return true
            } catch {
                guard error.code == .notFound else { throw error }
                return false
            }
        }
        try sink.sendObject(key: name, size: member.size, modified: member.modified, etag: member.tag)
        return true
    }

    private func enter(_ path: [UInt8], _ call: Call) throws(BackendError) {
        guard let members = try members(of: path, call), !members.isEmpty else { return }
        frames.append(Frame(path: path, members: members))
    }

    private func members(of path: [UInt8], _ call: Call) throws(BackendError) -> [Member]? {
        var members: [Member] = []
        for resource in try store.members(of: path, call) ?? [] {
            guard var name = store.names.member(resource.href, of: path) else { continue }
            if resource.isFolder { name.append(UInt8(ascii: "/")) }
            members.append(
                Member(
                    name: name,
                    isFolder: resource.isFolder,
                    size: resource.size,
                    modified: resource.modified,
                    tag: resource.tag
                )
            )
        }
        members.sort { ByteString($0.name) < ByteString($1.name) }
        return members
    }

    private func holdsObject(_ path: [UInt8], _ call: Call) throws(BackendError) -> Bool {
        let members = try members(of: path, call) ?? []
        if members.contains(where: { !$0.isFolder }) { return true }
        for member in members where try holdsObject(path + member.name, call) { return true }
        return false
    }

    /// The part of a key up to the first delimiter behind the prefix.
    private func commonPrefix(of key: [UInt8]) -> [UInt8]? {
        guard !delimiter.isEmpty, key.count > prefix.count else { return nil }
        var at = prefix.count
        while at + delimiter.count <= key.count {
            if key[at..<(at + delimiter.count)].elementsEqual(delimiter) {
                return Array(key[..<(at + delimiter.count)])
            }
            at += 1
        }
        return nil
    }
}
