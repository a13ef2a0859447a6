import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer rm`.
    static let remove = CommandSpec(
        "rm",
        "KEY…",
        1...Int.max,
        "delete objects",
        details: """
            That an object is gone already is success. With -r, KEY is a prefix and everything below it goes, by segments:
            a/b means a/b/… and never a/bb.
            """,
        options: [
            OptionSpec("-r, --recursive", "delete everything below a prefix"),
            OptionSpec("-n, --dry-run", "only say what would be deleted"),
            OptionSpec("--force", "allow a whole storage"),
        ],
        completes: .object
    ) { session, output throws(Failure) in
        var steps = Steps()
        for word in session.operands {
            steps.attempt { () throws(Failure) in
                if session.arguments.has("--recursive") {
                    try removePrefix(Address(word), &session, &output)
                } else {
                    try removeOne(word, &session, &output)
                }
            }
        }
        return steps.outcome
    }
}

private func removeOne(_ word: String, _ session: inout Session, _ output: inout Output) throws(Failure) {
    let place = try session.place(word)
    let channel = session.channel
    guard session.arguments.has("--dry-run") else {
        return try about("\(place)") { () throws(CofferError) in try channel.delete(place.storage, place.key) }
    }
    let object = Result { () throws(CofferError) in try channel.stat(place.storage, place.key) }
    if case .failure(let error) = object, error.code == .notFound { return }
    _ = try about("\(place)") { () throws(CofferError) in try object.get() }
    output.line("would delete \(place)")
}

private func removePrefix(_ address: Address, _ session: inout Session, _ output: inout Output) throws(Failure) {
    let storage = try session.storage(of: address)
    let subject = "\(storage):\(address.key)"
    let isDryRun = session.arguments.has("--dry-run")
    let isForced = session.arguments.has("--force")
    guard !address.key.isEmpty || isForced || isDryRun else {
        throw .usage("rm: \(subject) is the whole storage; --force deletes everything in it", command: "rm")
    }
    let parameters = DeletePrefixParameters(prefix: address.key, isDryRun: isDryRun, isForced: isForced)
    let channel = session.channel
    let result = try about(subject) { () throws(CofferError) in try channel.deletePrefix(storage, parameters) }
    if session.isJSON {
        output.document(result.encode())
    } else {
        if isDryRun {
            for key in result.keys { output.line("would delete \(storage):\(key.text)") }
            let more = result.count - Int64(result.keys.count)
            if more > 0 { output.line("and \(more) more") }
        } else {
            output.line("deleted \(result.count) \(result.count == 1 ? "object" : "objects") below \(subject)")
        }
    }
    guard let first = result.failures.first else { return }
    output.flush()
    Output.tell(result.failures.map { Failure.line($0.key.map { "\(storage):\($0.text)" } ?? subject, $0) })
    throw .reported(first.code.exitCode)
}
