import CofferProfile
import CofferService
import Glibc

extension AccessPolicy {
    /// The rules of `configuration`, with the names of users and groups looked up.
    ///
    /// A name that this machine does not know grants nothing, and is said aloud.
    init(_ configuration: Configuration, log: Log) {
        let rules = configuration.access.compactMap { rule -> CofferService.AccessRule? in
            var user: UInt32?
            var group: UInt32?
            switch rule.subject {
            case .uid(let number): user = number
            case .gid(let number): group = number
            case .user(let name):
                guard let entry = getpwnam(name) else {
                    log.warning("\(rule.mark): there is no user \(name) here: the rule grants nothing")
                    return nil
                }
                user = entry.pointee.pw_uid
            case .group(let name):
                guard let entry = getgrnam(name) else {
                    log.warning("\(rule.mark): there is no group \(name) here: the rule grants nothing")
                    return nil
                }
                group = entry.pointee.gr_gid
            }
            return CofferService.AccessRule(
                user: user,
                group: group,
                permissions: Set(rule.allow.compactMap { Permission(rawValue: $0.rawValue) }),
                storages: rule.storages.map { Set($0) },
                prefix: rule.prefix
            )
        }
        self.init(hostUser: geteuid(), rules: rules)
    }
}
