// What an instance knows of folders.

import Synchronization

/// What an instance knows of folders on the server.
final class Folders: Sendable {
    private let prepared = Atomic<Bool>(false)

    /// Whether the folder for what is not published was seen.
    var isPrepared: Bool {
        get { prepared.load(ordering: .acquiring) }
        set { prepared.store(newValue, ordering: .releasing) }
    }
}
