import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer profile list`.
    static let profileList = CommandSpec("profile list", "", 0...0, "show the profiles, the active one and who decided")
    {
        session,
        output throws(Failure) in
        let channel = session.channel
        let list = try about("profiles") { () throws(CofferError) in try channel.profiles() }
        if session.isJSON {
            output.document(list.encode())
            return 0
        }
        output.table(
            list.profiles.map { profile in
                let isActive = profile.name == list.active
                let note = isActive && !list.decidedBy.isEmpty ? "decided by \(list.decidedBy)" : ""
                let base = profile.extends.map { "extends \($0)" } ?? ""
                return [isActive ? "*" : " ", profile.name, base, note]
            }
        )
        return 0
    }

    /// The command `coffer profile use`.
    static let profileUse = CommandSpec(
        "profile use",
        "NAME",
        1...1,
        "make a profile the active one",
        details: "The choice is kept and outranks the configuration. On any error everything stays as it is.",
        completes: .profile
    ) { session, output throws(Failure) in
        let name = session.operands[0]
        let channel = session.channel
        let result = try about(name) { () throws(CofferError) in try channel.activate(name) }
        if session.isJSON {
            output.document(result.encode())
        } else {
            output.line("\(result.profile) is active (generation \(result.generation))")
        }
        return 0
    }

    /// The command `coffer profile show`.
    static let profileShow = CommandSpec("profile show", "", 0...0, "show the active profile") {
        session,
        output throws(Failure) in
        let channel = session.channel
        let list = try about("profiles") { () throws(CofferError) in try channel.profiles() }
        if session.isJSON {
            output.document(ActivationResult(profile: list.active, generation: list.generation).encode())
        } else {
            output.line(list.active)
        }
        return 0
    }
}
