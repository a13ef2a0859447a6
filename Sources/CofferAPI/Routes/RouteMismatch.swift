package import CofferModel

/// Why a request reaches no route.
package struct RouteMismatch: Error, Sendable, Hashable {
    /// What to answer.
    package var error: CofferError
    /// The status where it is not the error's own: 405.
    package var status: Int?
    /// The methods that are allowed, for `Allow` beside 405.
    package var allow: [String]

    package init(_ error: CofferError, status: Int? = nil, allow: [String] = []) {
        self.error = error
        self.status = status
        self.allow = allow
    }
}
