/// Who is at the other end of a Unix socket, as the kernel says (SO_PEERCRED, SO_PEERGROUPS).
package struct PeerCredentials: Sendable, Hashable {
    package var user: UInt32
    package var group: UInt32
    package var process: Int32
    /// Supplementary groups.
    package var groups: [UInt32]

    package init(user: UInt32, group: UInt32, process: Int32, groups: [UInt32] = []) {
        self.user = user
        self.group = group
        self.process = process
        self.groups = groups
    }
}
