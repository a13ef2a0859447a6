// How much of large objects may be ahead of their readers.

import CofferPluginSDK

/// How many pieces of large objects may be ahead of their readers, in the whole storage: each takes a piece's memory.
public final class ReadAhead: Sendable {
    /// Bytes of one piece.
    public static let piece: UInt64 = 8 << 20
    /// The most pieces of a storage.
    private static let most = 16

    private let taken = Guarded(0)

    /// Room for all pieces.
    public init() {}

    /// Takes room for so many pieces, or for none.
    func take(_ count: Int) -> Bool {
        taken.withLock { taken in
            guard taken + count <= Self.most else { return false }
            taken += count
            return true
        }
    }

    func giveBack(_ count: Int) { taken.withLock { $0 -= count } }
}
