// What a login gives.

package import CofferTransport

/// What a login gives: a token, where the account is, and how long the token lives.
package struct Session: Sendable {
    /// What every request carries.
    package let token: String
    /// The account's URL; its path has no slash at the end.
    package let account: HTTPLocation
    /// When the token ends, in Unix nanoseconds; nil where nobody said.
    package let expires: Int64?

    /// A session; a slash at the end of the account's path is dropped.
    package init(token: String, account: HTTPLocation, expires: Int64?) {
        self.token = token
        var path = account.path
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        self.account = HTTPLocation(origin: account.origin, target: path)
        self.expires = expires
    }
}
