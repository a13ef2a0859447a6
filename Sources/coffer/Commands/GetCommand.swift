import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer get`.
    static let get = CommandSpec(
        "get",
        "KEY [DST]",
        1...2,
        "fetch an object into a file",
        details: """
            DST is a file, a directory, or - for standard output; without it, the key's last part in this directory. With -r,
            KEY is a prefix and DST the directory that takes everything below it. A file appears whole or not at all.
            """,
        options: [
            OptionSpec("-r, --recursive", "fetch everything below a prefix"),
            OptionSpec("--if-absent", "fail if the file exists"),
        ],
        completes: .object
    ) { session, output throws(Failure) in
        Interruption.watch()
        let address = Address(session.operands[0])
        let target = session.operands.count > 1 ? session.operands[1] : "."
        if session.arguments.has("--recursive") { return try fetchTree(address, target, &session, &output) }
        let place = try session.place(address)
        if target == "-" {
            try stream(place, session.channel, to: &output)
            return 0
        }
        let path = TargetFile.isDirectory(target) ? TargetFile.join(target, address.lastSegment) : target
        try fetch(place, path, &session, &output)
        return 0
    }

    /// The command `coffer cat`.
    static let cat = CommandSpec(
        "cat",
        "KEY…",
        1...Int.max,
        "write objects to standard output",
        options: [OptionSpec("--range", value: "FIRST-LAST", "only these bytes: 0-99, 100- or -100")],
        completes: .object
    ) { session, output throws(Failure) in
        var range = ByteRange.all
        if let text = session.arguments.value("--range") {
            guard let parsed = try? RangeFields.parse(["bytes=\(text)"]), parsed != .all else {
                throw .usage("cat: --range wants FIRST-LAST, FIRST- or -COUNT, not \(text)", command: "cat")
            }
            range = parsed
        }
        var steps = Steps()
        for word in session.operands {
            steps.attempt { () throws(Failure) in
                try stream(try session.place(word), session.channel, range: range, to: &output)
            }
        }
        return steps.outcome
    }
}

/// Fetches everything below a prefix.
private func fetchTree(
    _ address: Address,
    _ folder: String,
    _ session: inout Session,
    _ output: inout Output
) throws(Failure) -> Int32 {
    let storage = try session.storage(of: address)
    let prefix = address.isFolder ? address.key : address.key + "/"
    let channel = session.channel
    let subject = "\(storage):\(prefix)"
    let listing = try about(subject) { () throws(CofferError) in
        try ListingReader(channel, storage, ListParameters(prefix: prefix))
    }
    var steps = Steps()
    var isEmpty = true
    while let entry = try about(subject, { () throws(CofferError) in try listing.next() }) {
        isEmpty = false
        let place = Place(storage: storage, key: Key(entry.text))
        let relative = String(decoding: entry.text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        steps.attempt { () throws(Failure) in
            guard !Key(relative).needsQuery else {
                let error = CofferError(.invalidKey, "no file can have this name below \(folder)")
                throw .operation(subject: "\(place)", error)
            }
            let path = TargetFile.join(folder, relative)
            try about(path) { () throws(CofferError) in try TargetFile.makeFolders(of: path) }
            try fetch(place, path, &session, &output)
        }
    }
    guard !isEmpty else {
        throw .operation(subject: subject, CofferError(.notFound, "there is nothing below this prefix"))
    }
    return steps.outcome
}

/// Fetches one object into a file, which appears whole or not at all.
private func fetch(
    _ place: Place,
    _ path: String,
    _ session: inout Session,
    _ output: inout Output
) throws(Failure) {
    let channel = session.channel
    let download = try about("\(place)") { () throws(CofferError) in
        try ObjectDownload.open(channel, place.storage, place.key)
    }
    let target = try about(path) { () throws(CofferError) in try TargetFile(path) }
    var bar = Progress("\(place)", total: download.range.upperBound - download.range.lowerBound)
    let copied = Result { () throws(CofferError) in
        try target.copy(download) { bar.update($0) }
    }
    bar.clear()
    let count = try about("\(place)") { () throws(CofferError) in try copied.get() }
    let mayReplace = !session.arguments.has("--if-absent")
    try about(path) { () throws(CofferError) in try target.publish(mayReplace: mayReplace) }
    if session.isJSON {
        output.document(download.object.encode())
    } else {
        output.line("\(place) -> \(path) (\(ByteCount.text(count)))")
    }
}

/// Writes an object to standard output.
func stream(
    _ place: Place,
    _ channel: HostChannel,
    range: ByteRange = .all,
    to output: inout Output
) throws(Failure) {
    output.flush()
    try about("\(place)") { () throws(CofferError) in
        let download = try ObjectDownload.open(channel, place.storage, place.key, range: range)
        try download.forEachPiece { piece throws(CofferError) in
            guard Output.writeAll(1, piece) else { throw CofferError(.cancelled, "standard output takes no more") }
        }
    }
}

extension ObjectDownload {
    /// Hands the object over piece by piece, in one buffer.
    func forEachPiece(_ body: (UnsafeRawBufferPointer) throws(CofferError) -> Void) throws(CofferError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try read(into: buffer)
            guard count > 0 else { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
