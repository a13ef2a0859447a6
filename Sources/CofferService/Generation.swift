package import CofferModel

/// The storages of one reading of the configuration.
///
/// A request takes the current generation once and keeps it to its end; what it holds of it (storages, readers, writers)
/// keeps the stores open, and the last to let go closes them.
package final class Generation: Sendable {
    package let number: Int
    /// The active profile's name.
    package let profile: String
    /// Who decided on the profile: the word that `profile list` shows.
    package let decidedBy: String
    package let createdAt: Timestamp
    /// In the order of the configuration, then ephemeral ones.
    package let storages: [Storage]
    /// The one that a bare key means; nil where there is no storage.
    package let defaultStorage: Storage?
    /// By bytes, as everything that a caller names.
    private let byName: [Key: Storage]

    package init(number: Int, profile: String, decidedBy: String, createdAt: Timestamp, storages: [Storage]) {
        self.number = number
        self.profile = profile
        self.decidedBy = decidedBy
        self.createdAt = createdAt
        self.storages = storages
        defaultStorage = storages.first { $0.isDefault } ?? storages.first
        byName = Dictionary(storages.map { (Key($0.name), $0) }) { first, _ in first }
    }

    /// The storage called `name`.
    ///
    /// - Throws: ``CofferError`` with `not_found`, naming those that there are.
    package func storage(_ name: String) throws(CofferError) -> Storage {
        guard let storage = byName[Key(name)] else {
            let known = storages.map(\.name).joined(separator: ", ")
            throw CofferError(
                .notFound,
                known.isEmpty
                    ? "no such storage: \(name); none is configured" : "no such storage: \(name); there are \(known)",
                storage: name
            )
        }
        return storage
    }

    /// The same generation with other storages.
    func with(storages: [Storage]) -> Generation {
        Generation(number: number, profile: profile, decidedBy: decidedBy, createdAt: createdAt, storages: storages)
    }
}
