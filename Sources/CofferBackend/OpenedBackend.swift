package import CofferModel

/// A store as its plugin opened it, before the host adds anything to it.
package struct OpenedBackend: Sendable {
    package var backend: any Backend
    /// What the host must not stand in for, because here it would go wrong.
    package var mustNotEmulate: Set<Capability>

    package init(_ backend: any Backend, mustNotEmulate: Set<Capability> = []) {
        self.backend = backend
        self.mustNotEmulate = mustNotEmulate
    }
}
