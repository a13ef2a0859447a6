import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer cp`.
    static let copy = CommandSpec(
        "cp",
        "SRC… DST",
        2...Int.max,
        "copy objects",
        details: transferDetails,
        options: Session.conflictOptions,
        completes: .object
    ) { session, output throws(Failure) in
        try transfer("cp", { .copy($0) }, &session, &output)
    }

    /// The command `coffer mv`.
    static let move = CommandSpec(
        "mv",
        "SRC… DST",
        2...Int.max,
        "move objects",
        details: transferDetails,
        options: Session.conflictOptions,
        completes: .object
    ) { session, output throws(Failure) in
        try transfer("mv", { .move($0) }, &session, &output)
    }

    /// The command `coffer dup`.
    static let duplicate = CommandSpec(
        "dup",
        "KEY…",
        1...Int.max,
        "copy objects to new keys that the host makes",
        options: [OptionSpec("--to", value: "STORAGE", "into another storage")],
        completes: .object
    ) { session, output throws(Failure) in
        let other = session.arguments.value("--to")
        var steps = Steps()
        for word in session.operands {
            steps.attempt { () throws(Failure) in
                let place = try session.place(word)
                let body = TransferBody(from: place.key, toStorage: other)
                try transfer(.duplicate(place.storage), body, place, session, &output)
            }
        }
        return steps.outcome
    }
}

private let transferDetails = """
    Both are storage:key; the host moves the bytes. Where DST ends with a slash, or is a storage alone, each source keeps
    its last part below it. Prints where each object went.
    """

private func transfer(
    _ command: String,
    _ route: (String) -> Route,
    _ session: inout Session,
    _ output: inout Output
) throws(Failure) -> Int32 {
    var sources = session.operands
    let target = Address(sources.removeLast())
    guard target.isFolder || sources.count == 1 else {
        throw .usage("\(command): several sources need a DST that ends with a slash", command: command)
    }
    let storage = try session.storage(of: target)
    let rule = try session.onConflict(command)
    var steps = Steps()
    for word in sources {
        steps.attempt { () throws(Failure) in
            let place = try session.place(word)
            let key = target.isFolder ? target.key + Address(word).lastSegment : target.key
            let other = storage.utf8.elementsEqual(place.storage.utf8) ? nil : storage
            let body = TransferBody(from: place.key, to: Key(key), toStorage: other, onConflict: rule)
            try transfer(route(place.storage), body, place, session, &output)
        }
    }
    return steps.outcome
}

private func transfer(
    _ route: Route,
    _ body: TransferBody,
    _ place: Place,
    _ session: Session,
    _ output: inout Output
) throws(Failure) {
    let object = try about("\(place)") { () throws(CofferError) in try session.channel.transfer(route, body) }
    if session.isJSON {
        output.document(object.encode())
    } else {
        output.line("\(place) -> \(object.storage):\(object.key.text)")
    }
}
