import CofferLoader
import CofferSystem

/// One plugin of the registry: declared or found, and loaded when it is first needed.
///
/// Its lock is its own, so that a plugin that takes long to load keeps nobody else waiting.
final class PluginRecord: Sendable {
    let id: String
    let path: String
    let manifestPath: String?
    let manifest: Manifest?
    private let sha256: String?
    private let problem: LoadError?
    private let state = Locked<State>(State())

    private struct State {
        var library: PluginLibrary?
        var failure: LoadError?
    }

    init(
        id: String,
        path: String,
        manifestPath: String? = nil,
        manifest: Manifest? = nil,
        sha256: String? = nil,
        problem: LoadError? = nil
    ) {
        self.id = id
        self.path = path
        self.manifestPath = manifestPath
        self.manifest = manifest
        self.sha256 = sha256
        self.problem = problem
    }

    /// The loaded library; one that failed is tried again, since an operator may have put it right.
    func library(_ events: HostEvents) throws(LoadError) -> PluginLibrary {
        if let problem { throw problem }
        return try state.withLock { (state) throws(LoadError) in
            if let library = state.library { return library }
            do throws(LoadError) {
                let library = try PluginLibrary.load(path, manifest: manifest, sha256: sha256, events: events)
                guard library.description.id.utf8.elementsEqual(id.utf8) else {
                    throw LoadError(path, .manifest, "its id is \(library.description.id), it was declared as \(id)")
                }
                state.library = library
                state.failure = nil
                return library
            } catch {
                state.failure = error
                throw error
            }
        }
    }

    /// What it says of itself: in its manifest if it has one, so that none of its code runs for the answer.
    func description(_ events: HostEvents) throws(LoadError) -> PluginDescription {
        if let problem { throw problem }
        if let manifest { return manifest.description }
        return try library(events).description
    }

    /// The library if it was loaded.
    var loaded: PluginLibrary? { state.withLock { $0.library } }

    /// The record as the operator sees it.
    var listing: PluginListing {
        let (library, failure) = state.withLock { ($0.library, $0.failure) }
        var listing = PluginListing(id: id, path: path, manifest: manifestPath, state: .found)
        if let description = library?.description ?? manifest?.description { listing.describe(description) }
        if let error = problem ?? failure {
            listing.state = .failed(error.description)
        } else if library != nil {
            listing.state = .loaded
        }
        return listing
    }
}
