import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer containers list`.
    static let containersList = CommandSpec(
        "containers list",
        "[STORAGE]",
        0...1,
        "show the containers of a storage's store",
        completes: .storage
    ) { session, output throws(Failure) in
        // A name without a colon is a storage here, as it is with one behind it.
        let word = session.operands.first ?? ""
        let storage = try session.storage(of: Address(word.isEmpty || word.hasSuffix(":") ? word : word + ":"))
        let channel = session.channel
        let containers = try about("\(storage):") { () throws(CofferError) in try channel.containers(storage) }
        if session.isJSON {
            output.document(ContainerInfo.encode(containers))
        } else {
            output.table(containers.map { [$0.name, $0.created?.description ?? ""] })
        }
        return 0
    }

    /// The command `coffer containers create`.
    static let containersCreate = CommandSpec(
        "containers create",
        "[STORAGE:]NAME",
        1...1,
        "make a container in a storage's store",
        completes: .storage
    ) { session, output throws(Failure) in
        let (storage, name) = try container(&session)
        let channel = session.channel
        try about("\(storage):\(name)") { () throws(CofferError) in try channel.makeContainer(storage, name) }
        if session.isJSON {
            output.document(ContainerInfo(name: name).encode())
        } else {
            output.line("made \(storage):\(name)")
        }
        return 0
    }

    /// The command `coffer containers remove`.
    static let containersRemove = CommandSpec(
        "containers remove",
        "[STORAGE:]NAME",
        1...1,
        "remove an empty container from a storage's store",
        completes: .storage
    ) { session, output throws(Failure) in
        let (storage, name) = try container(&session)
        let channel = session.channel
        try about("\(storage):\(name)") { () throws(CofferError) in try channel.removeContainer(storage, name) }
        if !session.isJSON { output.line("removed \(storage):\(name)") }
        return 0
    }
}

/// The storage and the container that the only operand names.
private func container(_ session: inout Session) throws(Failure) -> (storage: String, name: String) {
    let address = Address(session.operands[0])
    guard !address.key.isEmpty else {
        throw .usage("\(session.operands[0]) names a storage; a container is STORAGE:NAME", command: nil)
    }
    return (try session.storage(of: address), address.key)
}
