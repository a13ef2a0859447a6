import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer ls`.
    static let list = CommandSpec(
        "ls",
        "[STORAGE:][PREFIX]",
        0...1,
        "list objects",
        details: """
            Lists what starts with PREFIX, one level deep, in byte order. What lies deeper shows as a name with a slash.
            With --json, each line is an object or {"prefix":…}.
            """,
        options: [
            OptionSpec("-l, --long", "show size and time too"),
            OptionSpec("-R, --recursive", "list every level"),
        ],
        completes: .object
    ) { session, output throws(Failure) in
        let word = session.operands.first ?? ""
        let address = Address(word)
        let storage = try session.storage(of: address)
        let delimiter = session.arguments.has("--recursive") ? "" : "/"
        let parameters = ListParameters(prefix: address.key, delimiter: delimiter)
        let isLong = session.arguments.has("--long")
        let subject = "\(storage):\(address.key)"
        let channel = session.channel
        let listing = try about(subject) { () throws(CofferError) in
            try ListingReader(channel, storage, parameters)
        }
        if session.isJSON {
            while let line = try about(subject, { () throws(CofferError) in try listing.nextLine() }) {
                output.write(line + [0x0A])
            }
            return 0
        }
        while let entry = try about(subject, { () throws(CofferError) in try listing.next() }) {
            output.line(isLong ? long(entry) : entry.text)
        }
        return 0
    }
}

/// An entry with its size and time in columns.
private func long(_ entry: ListEntry) -> String {
    guard case .object(let object) = entry else { return "\(right("-", 14))  \(right("", 20))  \(entry.text)" }
    let size = object.info.size.map { String($0) } ?? "?"
    let time = object.info.modified.map { Timestamp(nanoseconds: $0.seconds * 1_000_000_000).description } ?? "?"
    return "\(right(size, 14))  \(right(time, 20))  \(entry.text)"
}

private func right(_ text: String, _ width: Int) -> String {
    text.utf8.count >= width ? text : String(repeating: " ", count: width - text.utf8.count) + text
}
