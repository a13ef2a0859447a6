import CCofferPlugin
import Glibc

// Keys that want to leave the root, collide, or be something else.

/// Every directory below `path`, without following links.
private func directories(below path: String) -> [String] {
    namesInDirectory(path).map { path + "/" + $0 }.flatMap { child in
        var status = stat()
        guard lstat(child, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [String]() }
        return [child] + directories(below: child)
    }
}

extension ConformanceCase {
    static let hardKeys = [
        traversal, symbolicLinks, emptySegments, emptyKey, keyLengths, escapesOfEscapes, patternsInPrefixes,
    ]

    static let traversal = ConformanceCase(
        21,
        "no-key-leaves-the-root",
        "given .., ., a/../b, ../x, ..\\x, /abs and C:\\x, then exact keys or refused; nothing outside is touched",
        needs: .storing
    ) { trial in
        let before = trial.directory.map { namesInDirectory($0 + "/..").count }
        let names = ["..", ".", "a/../b", "../x", "..\\x", "a/./b", "a/..", "C:\\x"]
        try roundTrip(
            ["b", "x", "a/b"].map { trial.key($0) } + names.map { trial.key($0) },
            in: trial,
            mayRefuse: true
        )
        let subject = try trial.subject()
        for outside in ["/etc/hostname", "../../../../../../../../etc/hostname", "/cc-outside", "../cc-outside"] {
            try expectCode(
                subject.code { _ = try subject.look(Name(outside)) },
                COFFER_E_NOT_FOUND,
                COFFER_E_INVALID_KEY,
                in: "look at \(outside)"
            )
        }
        for outside in ["../cc-outside", "/cc-outside"] {
            _ = subject.code { try subject.put(Name(outside), "x") }
            try expect(access("/cc-outside", F_OK) != 0, "no file in the root of the machine", got: "one")
        }
        if let directory = trial.directory, let before {
            let after = namesInDirectory(directory + "/..")
            try expect(!after.contains("cc-outside"), "no file beside the root", got: "\(after.count - before) more")
        }
    }

    static let symbolicLinks = ConformanceCase(
        22,
        "links-out-of-the-root-are-not-followed",
        "given a symbolic link in the root that points outside, when used by any call, then refused",
        needs: .storing
    ) { trial in
        guard let root = trial.directory else {
            throw Skip(reason: "no option holds {tmp}, so there is no directory to put a link into")
        }
        guard let outside = TemporaryPlace() else { throw Skip(reason: "no second directory could be made") }
        let secret = outside.path + "/secret"
        for (path, text) in [(secret, "outside"), (outside.path + "/only-outside", "")] {
            let descriptor = creat(path, 0o600)
            // A file that stays empty is noticed below, by its size.
            _ = write(descriptor, text, text.utf8.count)
            close(descriptor)
        }
        let subject = try trial.subject()
        try subject.put(trial.key("real"), "x")
        for directory in namesInDirectory(root).map({ root + "/" + $0 }) + [root, root + "/" + trial.prefix] {
            // Not every name is a directory, and the store may keep objects elsewhere: as many links as can be made.
            symlink(outside.path, directory + "/link")
            symlink(secret, directory + "/file")
        }
        for text in ["link/secret", "file", "\(trial.prefix)link/secret", "\(trial.prefix)file"] {
            let key = Name(text)
            let code = subject.code { subject.drop(try subject.openRead(key)) }
            try expect(code != COFFER_OK, "a read through the link \(key) to be refused", got: "ok")
            if subject.code({ try subject.put(key, "overwritten") }) == COFFER_OK && subject.has(.remove) {
                _ = subject.code { try subject.remove(key) }
            }
            if subject.has(.remove) { _ = subject.code { try subject.remove(Name("link/secret")) } }
        }
        _ = subject.code { try subject.put(Name("link/made"), "x") }
        // A directory that was real becomes a link, before a call and between two steps of one.
        let writer = try subject.beginWrite(trial.key("swap/late"))
        defer { writer.close() }
        try writer.append(Array("late".utf8))
        try subject.put(trial.key("swap/secret"), "inside")
        for directory in directories(below: root) where directory.hasSuffix("/swap") {
            rename(directory, directory + "-away")
            symlink(outside.path, directory)
        }
        _ = subject.code { _ = try writer.commit() }
        let secretKey = trial.key("swap/secret")
        let read = Guarded<[UInt8]>([])
        let code = subject.code { read.withLock { $0 = (try? subject.get(secretKey)) ?? [] } }
        try expect(
            code != COFFER_OK || read.withLock { $0 != Array("outside".utf8) },
            "no byte from outside",
            got: "some"
        )
        _ = subject.code { try subject.put(trial.key("swap/made"), "x") }
        _ = subject.code { try subject.put(secretKey, "overwritten") }
        if subject.has(.remove) { _ = subject.code { try subject.remove(secretKey) } }
        if subject.has(.list) {
            let names = (try? subject.list(trial.key("swap/")).map(\.key)) ?? []
            try expect(!names.contains(trial.key("swap/only-outside")), "no name from outside", got: "\(names)")
        }
        try expectEqual(
            namesInDirectory(outside.path).sorted(),
            ["only-outside", "secret"],
            "what lies outside the root"
        )
        var status = stat()
        try expect(lstat(secret, &status) == 0 && status.st_size == 7, "the file outside as it was", got: "changed")
    }

    static let emptySegments = ConformanceCase(
        23,
        "empty-segments-are-kept-or-refused",
        "given a//b, ///c, /d and e/, then kept distinct or refused invalid_key; never another key",
        needs: .storing
    ) { trial in
        let names = ["a//b", "a/b", "//c", "c", "/d", "d", "e/", "e2/x", "e2//x"]
        try roundTrip(names.map { trial.key($0) }, in: trial, mayRefuse: true)
    }

    static let emptyKey = ConformanceCase(
        25,
        "empty-key-is-invalid",
        "given the empty key, then invalid_key for every call",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        func refused(_ what: String, _ body: () throws -> Void) throws {
            try expectCode(
                subject.code(body),
                COFFER_E_INVALID_KEY,
                COFFER_E_INVALID_ARGUMENT,
                in: "\(what) of the empty key"
            )
        }
        try refused("write_begin") { subject.drop(try subject.beginWrite("")) }
        try refused("read_open") { subject.drop(try subject.openRead("")) }
        if subject.has(.stat) { try refused("stat") { _ = try subject.stat("") } }
        if subject.has(.remove) { try refused("remove") { try subject.remove("") } }
        if subject.has(.copy) {
            try subject.put(trial.key("from"), "x")
            try refused("copy") { _ = try subject.copy(trial.key("from"), "") }
        }
    }

    static let keyLengths = ConformanceCase(
        26,
        "key-lengths-hold-up-to-the-limit",
        "given 255-byte segments and the longest key, then they work; one byte more is refused before any I/O",
        needs: .storing
    ) { trial in
        let subject = try trial.subject()
        let limit = subject.result.max_key == 0 ? 1024 : Int(subject.result.max_key)
        func padded(_ length: Int) -> Name {
            var bytes = Array(trial.prefix.utf8)
            while bytes.count < length {
                bytes.append(bytes.count % 100 == 99 && bytes.count + 1 < length ? 0x2F : 0x6B)
            }
            return Name(bytes)
        }
        try roundTrip([padded(limit)], in: trial, mayRefuse: false)
        for length in [limit + 1, limit + 4096] {
            try expectCode(
                subject.code { subject.drop(try subject.beginWrite(padded(length))) },
                COFFER_E_INVALID_KEY,
                in: "write_begin with a key of \(length) bytes, the limit being \(limit)"
            )
            try expectCode(
                subject.code { _ = try subject.look(padded(length)) },
                COFFER_E_INVALID_KEY,
                COFFER_E_NOT_FOUND,
                in: "look at a key of \(length) bytes"
            )
        }
        let segments = [255, 256].map { trial.key(String(repeating: "s", count: $0)) }
        try roundTrip(segments, in: trial, mayRefuse: true)
    }

    static let escapesOfEscapes = ConformanceCase(
        27,
        "no-two-keys-are-one",
        "given keys that look like escapes of other keys, then no two map to one",
        needs: .storing
    ) { trial in
        let names = [
            "__0x2f__", "a__0x2f__b", "a/b", "%2f", "=2F", "\\x2f", "~2f", "a\\b", "_x2F_", "%252F", "..%2f", "%00",
            "x.meta", "x", "x~", ".x", ".x.tmp",
        ]
        try roundTrip(names.map { trial.key($0) }, in: trial, mayRefuse: true)
    }

    static let patternsInPrefixes = ConformanceCase(
        28,
        "prefixes-are-bytes-not-patterns",
        "given prefixes with _, %, *, ? and [, when listed, then no SQL, glob or regex meaning",
        needs: [.write, .read, .list]
    ) { trial in
        let subject = try trial.subject()
        let names = ["a_b", "axb", "a%b", "axxb", "a*b", "a?b", "a[x]b", "a.b", "a\\b", "(a|b)", "^a"]
        for name in names { try subject.put(trial.key(name), "x") }
        for name in names {
            try expectEqual(try subject.keys(trial.key(name)), [name], "the listing of prefix \(name)")
        }
        for prefix in ["a_", "a%", "a*", "a?", "a["] {
            let expected = names.filter { $0.utf8.starts(with: prefix.utf8) }
            try expectEqual(try subject.keys(trial.key(prefix)), expected, "the listing of prefix \(prefix)")
        }
    }
}
