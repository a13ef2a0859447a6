import CofferAPI
import CofferClient
import CofferModel
import CofferSystem
import Glibc

extension CommandSpec {
    /// The command `coffer put`.
    static let put = CommandSpec(
        "put",
        "SRC… DST",
        2...Int.max,
        "store files",
        details: """
            SRC is a file, a directory with -r, or - for standard input. DST is storage:key; where it ends with a slash, or
            is a storage alone, each source keeps its name below it. Prints where each object went.
            """,
        options: [
            OptionSpec("-r, --recursive", "store directories with all that is in them"),
            OptionSpec("-t, --type", value: "TYPE", "the media type; else it comes from the name"),
            OptionSpec("--meta", value: "NAME=VALUE", "metadata of your own; may be given again"),
        ] + Session.conflictOptions,
        completes: .file
    ) { session, output throws(Failure) in
        Interruption.watch()
        var sources = session.operands
        let target = Address(sources.removeLast())
        let storage = try session.storage(of: target)
        var options = PutOptions(onConflict: try session.onConflict("put"))
        options.metadata.contentType = session.arguments.value("--type")
        options.metadata.user = try userMetadata(session.arguments.values("--meta"))
        let isRecursive = session.arguments.has("--recursive")
        guard target.isFolder || (sources.count == 1 && !isFolder(sources[0])) else {
            throw .usage("put: several sources need a DST that ends with a slash", command: "put")
        }
        var steps = Steps()
        for source in sources {
            var files: [SourceFile] = []
            steps.attempt { () throws(Failure) in
                files = try SourceFile.find(source, isRecursive: isRecursive, into: target)
            }
            for file in files {
                let place = Place(storage: storage, key: Key(file.key))
                steps.attempt { () throws(Failure) in
                    let result = try store(file, at: place, session.channel, options)
                    if session.isJSON {
                        output.document(result.object.encode())
                    } else {
                        let size = result.object.info.size.map { " (\(ByteCount.text($0)))" } ?? ""
                        output.line("\(file.path) -> \(place.storage):\(result.object.key.text)\(size)")
                    }
                }
            }
        }
        return steps.outcome
    }
}

/// Stores one file and shows how far it is.
private func store(
    _ file: SourceFile,
    at place: Place,
    _ channel: HostChannel,
    _ options: PutOptions
) throws(Failure) -> PutResult {
    let source = try about(file.path) { () throws(CofferError) in
        file.path == "-"
            ? try LocalFile(Descriptor(owning: dup(0)), path: "standard input") : try LocalFile(reading: file.path)
    }
    var bar = Progress(file.path, total: source.size)
    let result = Result { () throws(CofferError) in
        try source.put(channel, place.storage, .key(place.key), options, progress: { bar.update($0) })
    }
    bar.clear()
    return try about("\(place)") { () throws(CofferError) in try result.get() }
}

private func userMetadata(_ words: [String]) throws(Failure) -> [UserMetadata] {
    var pairs: [UserMetadata] = []
    for word in words {
        guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")), equals > word.startIndex else {
            throw .usage("put: --meta wants NAME=VALUE, not \(word)", command: "put")
        }
        pairs.append(UserMetadata(String(word[..<equals]), String(word[word.utf8.index(after: equals)...])))
    }
    return pairs
}

private func isFolder(_ path: String) -> Bool {
    var status = stat()
    return path != "-" && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
