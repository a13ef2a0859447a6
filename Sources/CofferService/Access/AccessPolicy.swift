package import CofferModel
package import CofferSystem

/// What a caller may do with a storage.
package enum Permission: String, Sendable, Hashable, CaseIterable {
    /// Write objects.
    case upload
    /// Read, list and describe objects.
    case download
    /// Remove objects.
    case delete
    /// Switch profiles, reload, make and drop storages.
    case manage
}

/// One line of `access:`: who may do what, where.
package struct AccessRule: Sendable, Hashable {
    /// The user it speaks of; nil for any user of ``group``.
    package var user: UInt32?
    /// The group it speaks of, primary or supplementary; nil for any group.
    package var group: UInt32?
    package var permissions: Set<Permission>
    /// The storages it speaks of; nil for all.
    package var storages: Set<String>?
    /// Only keys that start with these bytes; empty for all.
    package var prefix: String

    package init(
        user: UInt32? = nil,
        group: UInt32? = nil,
        permissions: Set<Permission>,
        storages: Set<String>? = nil,
        prefix: String = ""
    ) {
        self.user = user
        self.group = group
        self.permissions = permissions
        self.storages = storages
        self.prefix = prefix
    }
}

/// Who may do what.
///
/// The kernel says who is calling; nothing in a request can.
///
/// The host's own user and root may do everything; everybody else only what a rule grants.
package struct AccessPolicy: Sendable {
    private let hostUser: UInt32
    private let rules: [AccessRule]

    /// `hostUser` is the user that the host runs as.
    package init(hostUser: UInt32, rules: [AccessRule] = []) {
        self.hostUser = hostUser
        self.rules = rules
    }

    /// Whether `caller` is the host's own user or root.
    package func isOwner(_ caller: PeerCredentials) -> Bool { caller.user == 0 || caller.user == hostUser }

    /// Refuses what no rule grants.
    ///
    /// `storage` nil asks about the host as a whole; `text` is the key or the prefix that is asked for.
    package func check(
        _ permission: Permission,
        for caller: PeerCredentials,
        storage: String? = nil,
        text: String = ""
    ) throws(CofferError) {
        if isOwner(caller) { return }
        for rule in rules where rule.speaks(of: caller) && rule.permissions.contains(permission) {
            if rule.covers(storage: storage, text: text) { return }
        }
        throw CofferError(
            .permissionDenied,
            "user \(caller.user) may not \(permission.rawValue)\(storage.map { " in \($0)" } ?? "");"
                + " to allow it, add to access: { uid: \(caller.user), allow: [\(permission.rawValue)]"
                + "\(storage.map { ", storages: [\($0)]" } ?? "") }",
            storage: storage
        )
    }
}

extension AccessRule {
    fileprivate func speaks(of caller: PeerCredentials) -> Bool {
        if let user, user != caller.user { return false }
        if let group, group != caller.group, !caller.groups.contains(group) { return false }
        return user != nil || group != nil
    }

    /// A rule for some storages, or for some keys, says nothing about the host as a whole.
    fileprivate func covers(storage: String?, text: String) -> Bool {
        guard let storage else { return storages == nil && prefix.isEmpty }
        if let storages, !storages.contains(storage) { return false }
        return text.utf8.starts(with: prefix.utf8)
    }
}
