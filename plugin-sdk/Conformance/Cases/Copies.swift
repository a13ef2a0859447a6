import CCofferPlugin

// Copies are objects of their own; moves lose nothing; what describes an object stays with it.

extension ConformanceCase {
    static let copies = [copyEdges, copiesAreApart, cancelledMove]
    static let metadata = [keptMetadata, keptTime]

    static let copyEdges = ConformanceCase(
        94,
        "copy-overwrites-whole-or-not-at-all",
        "given copies to an existing target, of an absent source and to itself, then whole, not_found, or refused",
        grade: .hangsOn(.copy),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let (from, to) = (trial.key("from"), trial.key("to"))
        try subject.put(from, "source")
        try subject.put(to, "a much longer target")
        let copied = try subject.copy(from, to)
        try expectEqual(copied.size, 6, "size of the copy")
        try expectEqual(try subject.text(to), "source", "the target")
        let absent = subject.code { _ = try subject.copy(trial.key("absent"), to) }
        try expectCode(absent, COFFER_E_NOT_FOUND, in: "copy of an absent source")
        try expectEqual(try subject.text(to), "source", "the target after a failed copy")
        let same = subject.code { _ = try subject.copy(from, from) }
        try expectCode(same, COFFER_OK, COFFER_E_INVALID_ARGUMENT, in: "copy to itself")
        try expectEqual(try subject.text(from), "source", "the source after a copy to itself")
    }

    static let copiesAreApart = ConformanceCase(
        95,
        "a-copy-is-an-object-of-its-own",
        "given a copy, when the source is overwritten, then the copy stays as it was",
        grade: .hangsOn(.copy),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let (from, to) = (trial.key("from"), trial.key("to"))
        try subject.put(from, "first")
        _ = try subject.copy(from, to)
        try subject.put(from, "second")
        try expectEqual(try subject.text(to), "first", "the copy")
        try subject.put(to, "third")
        try expectEqual(try subject.text(from), "second", "the source")
    }

    static let cancelledMove = ConformanceCase(
        96,
        "a-cancelled-move-loses-nothing",
        "given a move, cancelled or not, then source or target exists, never neither, never both",
        grade: .hangsOn(.move),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        for isCancelled in [false, true] {
            let (from, to) = (trial.key("from-\(isCancelled)"), trial.key("to-\(isCancelled)"))
            try subject.put(from, "content")
            let cancellation = Cancellation()
            if isCancelled { cancellation.cancel() }
            let code = subject.code { _ = try subject.move(from, to, cancellation: cancellation) }
            try expectCode(code, COFFER_OK, COFFER_E_CANCELLED, in: "move")
            let moved = try subject.exists(to)
            try expect(try subject.exists(from) != moved, "one of source and target", got: moved ? "both" : "neither")
            try expectEqual(moved, code == COFFER_OK, "the move having happened as it answered")
            try expectEqual(try subject.text(moved ? to : from), "content", "the object")
        }
    }

    static let keptMetadata = ConformanceCase(
        97,
        "metadata-is-kept-as-written",
        "given properties and user metadata with weird and large values, when put and copied, then all are kept",
        grade: .hangsOn(.userMeta),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let key = trial.key("k")
        var options = WriteOptions(size: 1)
        options.metadata = [
            ("colour", "blue"), ("x-with.dots_and-1", "a b=c;d"), ("empty", ""), ("unicode", "é 😀"),
            ("large", Name([UInt8](repeating: 0x76, count: 1024))),
        ]
        if subject.has(.contentType) { options.properties.append(("content-type", "text/plain; charset=utf-8")) }
        if subject.has(.contentProps) {
            options.properties += [
                ("content-language", "de, en"), ("content-disposition", "attachment; filename=\"a b.txt\""),
                ("cache-control", "max-age=60"),
            ]
        }
        try subject.put(key, "x", options)
        var keys = [key]
        if subject.has(.copy) {
            _ = try subject.copy(key, trial.key("copy"))
            keys.append(trial.key("copy"))
        }
        for key in keys {
            let entry = try subject.look(key)
            for (name, value) in options.metadata {
                try expectEqual(entry.metadata[name], value, "metadata \(name) of \(key)")
            }
            try expectEqual(entry.metadata.count, options.metadata.count, "metadata of \(key)")
            for (name, value) in options.properties {
                try expectEqual(entry.properties[name], value, "\(name) of \(key)")
            }
        }
        // Kept too where the body comes in pieces, of a length that nobody knew, and on its way elsewhere.
        let streamed = trial.key("streamed")
        options.size = -1
        try subject.put(streamed, pattern(10_000), options, chunk: 999)
        try expectEqual(try subject.look(streamed).metadata["colour"], "blue", "metadata of a streamed write")
        if subject.has(.resume) {
            let inParts = trial.key("parts")
            try subject.putInParts(inParts, [pattern(1000)], options)
            let entry = try subject.look(inParts)
            for (name, value) in options.metadata {
                try expectEqual(entry.metadata[name], value, "metadata \(name) of an object in parts")
            }
            for (name, value) in options.properties {
                try expectEqual(entry.properties[name], value, "\(name) of an object in parts")
            }
        }
        if subject.has(.move) {
            _ = try subject.move(streamed, trial.key("moved"))
            try expectEqual(try subject.look(trial.key("moved")).metadata["colour"], "blue", "metadata after a move")
        }
        if subject.has([.copy, .copyMeta]) {
            let replaced = CopyOptions(replacesMeta: true, metadata: [("colour", "red")])
            _ = try subject.copy(key, trial.key("red"), replaced)
            try expectEqual(try subject.look(trial.key("red")).metadata, ["colour": "red"], "replaced metadata")
            try expectEqual(try subject.look(key).metadata["colour"], "blue", "metadata of the source")
            _ = try subject.copy(key, key, replaced)
            try expectEqual(try subject.look(key).metadata, ["colour": "red"], "metadata replaced in place")
            try expectEqual(try subject.text(key), "x", "the object whose metadata was replaced")
        }
        try subject.put(key, "y")
        try expectEqual(try subject.look(key).metadata.count, 0, "metadata after a write without")
    }

    static let keptTime = ConformanceCase(
        100,
        "a-time-that-was-set-is-kept",
        "given an mtime, then it is read back within a second",
        grade: .hangsOn(.mtime),
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let time: Int64 = 1_234_567_890_000_000_000
        try subject.put(trial.key("k"), "x", WriteOptions(size: 1, properties: [("mtime", Name(String(time)))]))
        let kept = try subject.look(trial.key("k")).mtime
        try expect(abs(kept - time) < 1_000_000_000, "mtime \(time)", got: "\(kept)")
    }
}
