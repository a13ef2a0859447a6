/// Why a message is refused: the status that says so, and a reason for a person.
package struct HTTPFault: Error, Sendable, Hashable {
    package let status: Int
    /// Lower case, without a full stop and without anything the client sent.
    package let reason: String

    package init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}
