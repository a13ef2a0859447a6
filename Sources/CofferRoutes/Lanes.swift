import CofferAPI
package import CofferHTTP
import CofferSystem

/// Where requests queue: each storage has a lane for transfers and one for everything else.
///
/// So a slow storage holds at most its own places, and a stat never waits behind a transfer. A storage's lanes outlive
/// its generations: a switch must not double what runs against one store.
package final class Lanes: Sendable {
    private struct Pair {
        var transfers: Lane
        var metadata: Lane
    }

    private let pairs = Locked<[String: Pair]>([:])
    private let width: Int
    private let queueLimit: Int

    /// `width` is how many requests of one kind a storage handles at once, `queueLimit` how many more may wait.
    package init(width: Int, queueLimit: Int) {
        self.width = width
        self.queueLimit = queueLimit
    }

    /// The lane of a request; nil for what never blocks.
    package func lane(method: String, target: String) -> Lane? {
        guard let (storage, isObject) = Self.place(target) else { return nil }
        let isTransfer = isObject && (method == "GET" || method == "PUT" || method == "POST")
        let pair = pairs.withLock { pairs in
            if let known = pairs[storage] { return known }
            let new = Pair(
                transfers: Lane(name: "\(storage) transfers", width: width, queueLimit: queueLimit),
                metadata: Lane(name: "\(storage) metadata", width: width, queueLimit: queueLimit)
            )
            // Names come from callers: what is no storage must not fill the table.
            if pairs.count < 4096 { pairs[storage] = new }
            return new
        }
        return isTransfer ? pair.transfers : pair.metadata
    }

    /// The storage that a raw target names, still encoded, and whether its objects are meant.
    private static func place(_ target: String) -> (storage: String, isObject: Bool)? {
        let root = "/v1/storages/"
        guard target.utf8.starts(with: root.utf8) else { return nil }
        let rest = target.utf8.dropFirst(root.utf8.count)
        let name = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard !name.isEmpty else { return nil }
        let verb = rest.dropFirst(name.count)
        return (String(Substring(name)), verb.starts(with: "/object".utf8))
    }
}
