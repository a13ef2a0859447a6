import CofferAPI
package import CofferHTTP
import CofferSystem

/// Where requests queue: each storage has a lane for transfers and one for everything else.
///
/// So a slow storage holds at most its own places, and a stat never waits behind a transfer. A storage's lanes outlive
/// its generations: a switch must not double what runs against one store.
package final class Lanes: Sendable {
    private struct Bounds: Equatable {
        var width: Int
        var queueLimit: Int
    }

    private struct Pair {
        var bounds: Bounds
        var transfers: Lane
        var metadata: Lane
    }

    private struct State {
        var bounds: Bounds
        var pairs: [String: Pair] = [:]
    }

    private let state: Locked<State>
    private let ceiling: Int

    /// `width` is how many requests of one kind a storage handles at once unless it says otherwise, `ceiling` the most
    /// that it may say, `queueLimit` how many more may wait.
    package init(width: Int, ceiling: Int, queueLimit: Int) {
        self.ceiling = ceiling
        state = Locked(State(bounds: Bounds(width: min(width, ceiling), queueLimit: queueLimit)))
    }

    /// Changes the bounds, for each storage from its next request on.
    package func resize(width: Int, queueLimit: Int) {
        state.withLock { $0.bounds = Bounds(width: min(width, ceiling), queueLimit: queueLimit) }
    }

    /// The lane of a request; nil for what never blocks.
    ///
    /// `ownWidth` is what the storage of that name says for itself at this moment; nil where it says nothing.
    package func lane(method: String, target: String, ownWidth: (String) -> Int?) -> Lane? {
        guard let (storage, isTransfer) = Self.place(target, method) else { return nil }
        let own = ownWidth(storage).map { min($0, ceiling) }
        let pair = state.withLock { state in
            var bounds = state.bounds
            bounds.width = own ?? bounds.width
            if var known = state.pairs[storage] {
                guard known.bounds != bounds else { return known }
                // The configuration changed; the lanes stay, with all that is under way in them.
                known.bounds = bounds
                for lane in [known.transfers, known.metadata] {
                    lane.resize(width: bounds.width, queueLimit: bounds.queueLimit)
                }
                state.pairs[storage] = known
                return known
            }
            func lane(_ kind: String) -> Lane {
                Lane(name: "\(storage) \(kind)", width: bounds.width, queueLimit: bounds.queueLimit)
            }
            let new = Pair(bounds: bounds, transfers: lane("transfers"), metadata: lane("metadata"))
            // Names come from callers: what is no storage must not fill the table.
            if state.pairs.count < 4096 { state.pairs[storage] = new }
            return new
        }
        return isTransfer ? pair.transfers : pair.metadata
    }

    private static let root = Array("/v1/storages/".utf8)

    /// The storage that a raw target names, and whether objects move through the host for it.
    private static func place(_ target: String, _ method: String) -> (storage: String, isTransfer: Bool)? {
        let bytes = target.utf8.span
        guard bytes.starts(with: root, at: 0) else { return nil }
        var end = root.count
        while end < bytes.count, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
        guard end > root.count else { return nil }
        let isTransfer =
            switch method {
            case "GET", "PUT": bytes.starts(with: object, at: end)
            case "POST": !bytes.starts(with: delete, at: end) && !bytes.starts(with: links, at: end)
            default: false
            }
        return (decoded(bytes.extracting(root.count..<end)), isTransfer)
    }

    private static let object = Array("/object".utf8)
    private static let delete = Array("/delete".utf8)
    private static let links = Array("/links".utf8)

    /// A name as the routes will understand it, so that another spelling leads to the same lane.
    private static func decoded(_ name: Span<UInt8>) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.count)
        var index = 0
        while index < name.count {
            if name[index] == UInt8(ascii: "%"), index + 2 < name.count,
                let high = Hexadecimal.value(of: name[index + 1]), let low = Hexadecimal.value(of: name[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(name[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Span<UInt8> {
    fileprivate func starts(with word: [UInt8], at start: Int) -> Bool {
        guard count - start >= word.count else { return false }
        for index in 0..<word.count where self[start + index] != word[index] { return false }
        return true
    }
}
