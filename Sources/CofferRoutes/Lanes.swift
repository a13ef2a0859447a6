import CofferAPI
package import CofferHTTP
import CofferSystem

/// Where requests queue: each storage has a lane for transfers and one for everything else.
///
/// So a slow storage holds at most its own places, and a stat never waits behind a transfer. A storage's lanes outlive
/// its generations: a switch must not double what runs against one store.
package final class Lanes: Sendable {
    private struct Pair {
        var width: Int
        var transfers: Lane
        var metadata: Lane
    }

    private let pairs = Locked<[String: Pair]>([:])
    private let width: Int
    private let ceiling: Int
    private let queueLimit: Int

    /// `width` is how many requests of one kind a storage handles at once unless it says otherwise, `ceiling` the most
    /// that it may say, `queueLimit` how many more may wait.
    package init(width: Int, ceiling: Int, queueLimit: Int) {
        self.width = min(width, ceiling)
        self.ceiling = ceiling
        self.queueLimit = queueLimit
    }

    /// The lane of a request; nil for what never blocks.
    ///
    /// `ownWidth` is what the storage of that name says for itself at this moment; nil where it says nothing.
    package func lane(method: String, target: String, ownWidth: (String) -> Int?) -> Lane? {
        guard let (storage, isTransfer) = Self.place(target, method) else { return nil }
        let width = ownWidth(storage).map { min($0, ceiling) } ?? width
        let pair = pairs.withLock { pairs in
            if var known = pairs[storage] {
                guard known.width != width else { return known }
                // The configuration changed; the lanes stay, with all that is under way in them.
                known.width = width
                known.transfers.resize(width: width)
                known.metadata.resize(width: width)
                pairs[storage] = known
                return known
            }
            let new = Pair(
                width: width,
                transfers: Lane(name: "\(storage) transfers", width: width, queueLimit: queueLimit),
                metadata: Lane(name: "\(storage) metadata", width: width, queueLimit: queueLimit)
            )
            // Names come from callers: what is no storage must not fill the table.
            if pairs.count < 4096 { pairs[storage] = new }
            return new
        }
        return isTransfer ? pair.transfers : pair.metadata
    }

    /// The storage that a raw target names, and whether objects move through the host for it.
    private static func place(_ target: String, _ method: String) -> (storage: String, isTransfer: Bool)? {
        let root = "/v1/storages/"
        guard target.utf8.starts(with: root.utf8) else { return nil }
        let rest = target.utf8.dropFirst(root.utf8.count)
        let name = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard !name.isEmpty else { return nil }
        let verb = rest.dropFirst(name.count)
        let isTransfer =
            switch method {
            case "GET", "PUT": verb.starts(with: "/object".utf8)
            case "POST": !verb.starts(with: "/delete".utf8) && !verb.starts(with: "/links".utf8)
            default: false
            }
        return (decoded(name), isTransfer)
    }

    /// A name as the routes will understand it, so that another spelling leads to the same lane.
    private static func decoded(_ name: Substring.UTF8View) -> String {
        guard name.contains(UInt8(ascii: "%")) else { return String(Substring(name)) }
        var bytes: [UInt8] = []
        var rest = name
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, let value = UInt8(String(Substring(digits)), radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
