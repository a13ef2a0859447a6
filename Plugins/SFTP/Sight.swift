// What stands at a place, and on the way to it: links are seen, and never followed.

import CofferPluginSDK
import SFTPWire

/// What stands at a place.
///
/// SFTP has no way to open a file beneath a directory that is held open. So every segment on the way is looked at first,
/// without following it, and a link anywhere refuses the call. Somebody with an account on the server who swaps a
/// directory for a link between this look and the request behind it is not stopped by it; a chroot on the server does.
enum Sight {
    /// Nothing; and how many of the directories on the way are there.
    case nothing(directories: Int)
    /// A plain file.
    case file(Attributes)
    /// A directory.
    case directory
    /// A file is where a directory would have to be.
    case blocked
}

/// A look that is on its way.
struct Look {
    private let place: Place
    private let replies: [Reply]

    /// Asks about a place and everything on the way to it, at once.
    init(at place: Place, on connection: Connection) throws(BackendError) {
        self.place = place
        let root = connection.server.root
        var replies: [Reply] = []
        for path in place.ancestors(below: root) + [place.path(below: root)] {
            replies.append(try connection.request(PacketType.linkStat, path))
        }
        self.replies = replies
    }

    /// What stands there.
    func sight(on connection: Connection, _ call: Call) throws(BackendError) -> Sight {
        for (index, reply) in replies.enumerated() {
            let isLast = index == replies.count - 1
            let answer = try connection.attributes(reply, call)
            guard let found = answer.value else {
                guard answer.status.code == Status.noSuchFile else {
                    throw answer.status.error("cannot look at \(place.words)")
                }
                return .nothing(directories: index)
            }
            if found.isLink {
                throw BackendError(
                    .permission,
                    "cannot use \(place.words): a symbolic link stands in its path, and links are not followed"
                )
            }
            if found.isDirectory {
                if isLast { return .directory }
                continue
            }
            guard isLast else { return .blocked }
            guard found.isPlainFile else {
                throw BackendError(.permission, "not a plain file stands there: \(place.words)")
            }
            return .file(found)
        }
        return .nothing(directories: 0)
    }
}

extension Connection {
    /// What stands at a place.
    func look(at place: Place, _ call: Call) throws(BackendError) -> Sight {
        try Look(at: place, on: self).sight(on: self, call)
    }
}

extension Attributes {
    /// What is known of an object; version 3 knows nothing that tells two writes of one second apart, so there is no tag.
    func entry(_ key: ByteString) -> Entry {
        Entry(
            key,
            size: size.map { Int64(clamping: $0) } ?? -1,
            modified: modified.map { Int64($0) * 1_000_000_000 } ?? Entry.unknownTime
        )
    }
}
