// What an instance knows of folders.

import CofferPluginSDK

/// The folders that an instance made or saw, so that not every write asks for them.
///
/// What it knows may be out of date: a write that finds its folder gone forgets all and makes it again.
final class Folders: Sendable {
    private static let most = 4096
    private let known = Guarded<Set<String>>([])

    /// Whether the folder at an encoded path was there a while ago.
    func contains(_ path: String) -> Bool { known.withLock { $0.contains(path) } }

    /// Remembers a folder.
    func insert(_ path: String) {
        known.withLock { known in
            if known.count >= Self.most { known.removeAll(keepingCapacity: true) }
            known.insert(path)
        }
    }

    /// Knows nothing any more.
    func forget() { known.withLock { $0.removeAll(keepingCapacity: true) } }
}
