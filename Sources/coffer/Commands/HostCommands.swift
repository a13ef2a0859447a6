import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer health`.
    static let health = CommandSpec(
        "health",
        "[STORAGE]",
        0...1,
        "show whether the host and its storages are well",
        details: "With STORAGE, the connection to its store is tested. Exits with 8 where something is not well.",
        completes: .storage
    ) { session, output throws(Failure) in
        let channel = session.channel
        if let name = session.operands.first {
            let health = try about(name) { () throws(CofferError) in try channel.storageHealth(name) }
            if session.isJSON {
                output.document(health.encode())
            } else {
                output.line("\(name): ok (\(health.milliseconds) ms)")
                output.table(health.details.map { ["  " + $0.name, $0.value] })
            }
            return 0
        }
        let health = try about("health") { () throws(CofferError) in try channel.health() }
        if session.isJSON {
            output.document(health.encode())
        } else {
            output.line(health.status)
            output.table(
                health.storages.map { storage in
                    let state = storage.failure.map { "failed: \($0.message)" }
                    let note = storage.warning.map { "open: \($0.message)" }
                    return ["  " + storage.name, storage.backend, state ?? note ?? "open"]
                }
            )
        }
        return health.status == "ok" ? 0 : 8
    }

    /// The command `coffer version`.
    static let version = CommandSpec("version", "", 0...0, "show the versions of client and host") {
        session,
        output throws(Failure) in
        let channel = session.channel
        let host = Result { () throws(CofferError) in try channel.version() }
        if session.isJSON {
            output.document(try about("version") { () throws(CofferError) in try host.get() }.encode())
            return 0
        }
        output.line("coffer \(Release.version)")
        switch host {
        case .success(let host):
            output.line("cofferd \(host.version) (api \(host.api), abi \(host.abi)) at \(channel.path)")
        // A version is worth telling without a host too.
        case .failure(let error): output.line("no host: \(error.message)")
        }
        return 0
    }
}
