import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer link`.
    static let link = CommandSpec(
        "link",
        "KEY…",
        1...Int.max,
        "make links: URLs that work for a while without the host",
        details: """
            Whoever holds a link may do with the object what it is for, so keep it like a password. Prints the URL alone; a
            person at a terminal also sees when it expires and the headers that a request must send, and --json has both.
            """,
        options: [
            OptionSpec("--expires", value: "TIME", "how long it works, such as 90s, 15m, 1h or 7d; else 1h"),
            OptionSpec("--upload", "a link to store the object, instead of to read it"),
            OptionSpec("--delete", "a link to delete the object"),
            OptionSpec(
                "-t, --type",
                value: "TYPE",
                "the media type: of an upload, bound to the link; of a read, its answer's"
            ),
            OptionSpec("--filename", value: "NAME", "the name under which a read is saved"),
            OptionSpec("--size", value: "BYTES", "the only length that an upload may have"),
        ],
        completes: .object
    ) { session, output throws(Failure) in
        let arguments = session.arguments
        guard !arguments.has("--upload") || !arguments.has("--delete") else {
            throw .usage("link: --upload and --delete exclude each other", command: "link")
        }
        let lifetime = try arguments.value("--expires").map(seconds)
        let size = try arguments.value("--size").map(bytes)
        var steps = Steps()
        for word in session.operands {
            steps.attempt { () throws(Failure) in
                let place = try session.place(word)
                let body = LinkBody(
                    key: place.key,
                    method: arguments.has("--upload") ? .put : arguments.has("--delete") ? .delete : .get,
                    expiresIn: lifetime,
                    contentType: arguments.value("--type"),
                    filename: arguments.value("--filename"),
                    size: size
                )
                let channel = session.channel
                let link = try about("\(place)") { () throws(CofferError) in try channel.link(place.storage, body) }
                if session.isJSON { output.document(link.encode()) } else { show(link, &output) }
            }
        }
        return steps.outcome
    }
}

private func show(_ link: LinkInfo, _ output: inout Output) {
    output.line(link.url)
    guard Output.isTerminal else { return }
    output.line("  \(link.method.rawValue) until \(link.expiresAt)")
    for header in link.requiredHeaders { output.line("  with \(header.name): \(header.value)") }
}

/// The seconds of a time such as `1h`.
private func seconds(_ text: String) throws(Failure) -> Int64 {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()) else {
        throw .usage("link: --expires wants a time such as 90s, 15m, 1h or 7d, not \(text)", command: "link")
    }
    let (seconds, isTooMuch) = number.multipliedReportingOverflow(by: unit)
    return isTooMuch ? (number < 0 ? .min : .max) : seconds
}

private func bytes(_ text: String) throws(Failure) -> Int64 {
    guard let number = Int64(text) else {
        throw .usage("link: --size wants a number of bytes, not \(text)", command: "link")
    }
    return number
}
