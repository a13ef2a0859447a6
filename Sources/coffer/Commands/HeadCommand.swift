import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer head`.
    static let head = CommandSpec(
        "head",
        "KEY…",
        1...Int.max,
        "write the first lines of objects to standard output",
        options: [
            OptionSpec("-n, --lines", value: "COUNT", "so many lines; 10 if nothing is said"),
            OptionSpec("-c, --bytes", value: "COUNT", "so many bytes instead"),
        ],
        completes: .object
    ) { session, output throws(Failure) in
        let lines = try count("--lines", session) ?? 10
        let bytes = try count("--bytes", session)
        var steps = Steps()
        for word in session.operands {
            steps.attempt { () throws(Failure) in
                let place = try session.place(word)
                output.flush()
                if let bytes {
                    try firstBytes(bytes, of: place, session.channel)
                } else {
                    try firstLines(lines, of: place, session.channel)
                }
            }
        }
        return steps.outcome
    }
}

private func count(_ name: String, _ session: Session) throws(Failure) -> Int64? {
    guard let text = session.arguments.value(name) else { return nil }
    guard let count = Int64(text), count >= 0 else {
        throw .usage("head: \(name) wants a number, not \(text)", command: "head")
    }
    return count
}

private func firstBytes(_ count: Int64, of place: Place, _ channel: HostChannel) throws(Failure) {
    try about("\(place)") { () throws(CofferError) in
        guard count > 0 else { return _ = try channel.stat(place.storage, place.key) }
        let range = ByteRange.slice(offset: 0, length: count)
        let opened = Result { () throws(CofferError) in
            try ObjectDownload.open(channel, place.storage, place.key, range: range)
        }
        // An empty object has no first byte; that is no failure here.
        if case .failure(let error) = opened, error.code == .rangeInvalid { return }
        try opened.get().forEachPiece { piece throws(CofferError) in
            guard Output.writeAll(1, piece) else { throw outputGone }
        }
    }
}

private func firstLines(_ count: Int64, of place: Place, _ channel: HostChannel) throws(Failure) {
    try about("\(place)") { () throws(CofferError) in
        let download = try ObjectDownload.open(channel, place.storage, place.key)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var left = count
        while left > 0 {
            let read = try download.read(into: buffer)
            guard read > 0 else { return }
            var end = 0
            while end < read && left > 0 {
                if buffer[end] == 0x0A { left -= 1 }
                end += 1
            }
            guard Output.writeAll(1, UnsafeRawBufferPointer(rebasing: buffer[..<end])) else { throw outputGone }
        }
    }
}

private var outputGone: CofferError { CofferError(.cancelled, "standard output takes no more") }
