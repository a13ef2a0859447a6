import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer stat`.
    static let stat = CommandSpec(
        "stat",
        "KEY…",
        1...Int.max,
        "show what is known of objects",
        completes: .object
    ) { session, output throws(Failure) in
        var steps = Steps()
        for word in session.operands {
            steps.attempt { () throws(Failure) in
                let place = try session.place(word)
                let channel = session.channel
                let object = try about("\(place)") { () throws(CofferError) in
                    try channel.stat(place.storage, place.key)
                }
                if session.isJSON { output.document(object.encode()) } else { show(object, &output) }
            }
        }
        return steps.outcome
    }
}

/// Writes what is known of an object, a line for each fact.
private func show(_ object: StoredObject, _ output: inout Output) {
    let info = object.info
    var facts: [(String, String?)] = [
        ("object", "\(object.storage):\(info.key.text)"),
        ("backend", object.backend),
        ("size", info.size.map { $0 < 1024 ? "\($0)" : "\($0) (\(ByteCount.text($0)))" }),
        ("modified", info.modified?.description),
        ("created", info.created?.description),
        ("etag", info.etag),
        ("version", info.version),
        ("type", info.metadata.contentType),
        ("encoding", info.metadata.contentEncoding),
        ("disposition", info.metadata.contentDisposition),
        ("language", info.metadata.contentLanguage),
        ("cache", info.metadata.cacheControl),
    ]
    for checksum in info.checksums { facts.append((checksum.algorithm.rawValue, checksum.value)) }
    for pair in info.metadata.user { facts.append(("meta \(pair.name)", pair.value)) }
    let known = facts.filter { $0.1 != nil }
    let width = known.map { $0.0.utf8.count }.max() ?? 0
    for (name, value) in known { output.line("\(Help.padded(name, width))  \(value ?? "")") }
}
