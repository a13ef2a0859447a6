// What a storage takes, by every way in.
import CofferJSON
import CofferTestSupport
import Testing

/// A way for an object to get into the storage under test.
enum WayIn: String, CaseIterable, CustomTestStringConvertible {
    case put, chunked, post, form, copy, move

    var testDescription: String { rawValue }

    /// Brings `size` bytes as `name` into `target`; what the host answered.
    func bring(
        _ name: String,
        _ size: Int,
        type: String? = nil,
        into target: String,
        _ host: HostProcess
    ) throws -> RawConnection.Answer {
        // A fresh connection each: the host may close one whose body it did not want.
        let connection = try RawConnection(host.socket)
        let body = [UInt8](repeating: 0x78, count: size)
        let types = type.map { [("Content-Type", $0)] } ?? []
        let objects = "/v1/storages/\(target)/objects"
        switch self {
        case .put:
            return try connection.request("PUT", "\(objects)/\(name)", fields: types, body: body)
        case .chunked:
            var head = "PUT \(objects)/\(name) HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n"
            for type in types { head += "\(type.0): \(type.1)\r\n" }
            connection.send(head + "\r\n")
            for start in stride(from: 0, to: size, by: 1000) {
                let part = body[start..<min(size, start + 1000)]
                connection.send(Array("\(String(part.count, radix: 16))\r\n".utf8) + part + Array("\r\n".utf8))
            }
            connection.send("0\r\n\r\n")
            return try connection.answer()
        case .post:
            return try connection.request("POST", "\(objects)?filename=\(name)", fields: types, body: body)
        case .form:
            let kind = type.map { "Content-Type: \($0)\r\n" } ?? ""
            let start = "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\(name)\"\r\n\(kind)\r\n"
            return try connection.request(
                "POST",
                objects,
                fields: [("Content-Type", "multipart/form-data; boundary=XX")],
                body: Array(start.utf8) + body + Array("\r\n--XX--\r\n".utf8)
            )
        case .copy, .move:
            let put = try connection.request("PUT", "/v1/storages/source/objects/\(name)", fields: types, body: body)
            #expect(put.status == 201 || put.status == 200)
            let order = #"{"from":"\#(name)","to":"\#(name)","to_storage":"\#(target)"}"#
            return try connection.request("POST", "/v1/storages/source/\(rawValue)", body: Array(order.utf8))
        }
    }
}

@Suite struct PolicyTests {
    private let storages = """
        storages:
          source: { backend: memory, on_conflict: replace }
          images: { backend: memory, accept: images, deny: [svg], max_size: 5KiB, on_conflict: replace }
          frozen: { backend: memory, read_only: true }
          nested: { backend: local, root: ./data, prefix: deep/er, on_conflict: replace }
          root: { backend: local, root: ./data, on_conflict: replace }

        """

    @Test(arguments: WayIn.allCases)
    func everyWayInIsJudged(way: WayIn) throws {
        try withHost(storages) { host in
            let connection = try RawConnection(host.socket)
            let taken = try way.bring("a.png", 5120, type: "image/png", into: "images", host)
            #expect(taken.status == 201, "\(taken.text)")
            // By extension, by what is denied, by the declared type.
            for (name, type) in [("a.txt", nil), ("a.svg", "image/svg+xml"), ("a.png", "text/html"), ("noext", nil)] {
                let refused = try way.bring(name, 10, type: type, into: "images", host)
                #expect(refused.status == 415, "\(name): \(refused.status) \(refused.text)")
                #expect(try refused.code() == "bad_type", "\(name)")
                #expect(refused.text.contains("images"), "\(name): \(refused.text)")
            }
            let large = try way.bring("b.png", 5121, type: "image/png", into: "images", host)
            #expect(large.status == 413, "\(large.status) \(large.text)")
            #expect(try large.code() == "too_large")
            #expect(large.text.contains("storage images takes at most 5120 bytes"), "\(large.text)")
            let frozen = try way.bring("a.txt", 10, into: "frozen", host)
            #expect(frozen.status == 403, "\(frozen.text)")
            #expect(frozen.text.contains("storage frozen is read-only"), "\(frozen.text)")
            #expect(try connection.keys("images").count == 1)
            #expect(try connection.keys("frozen") == [])
            // A refused move leaves its source.
            if way == .move { #expect(try connection.keys("source") == ["a.png", "a.svg", "a.txt", "b.png", "noext"]) }
        }
    }

    @Test func anEndlessBodyEndsAtTheLimit() throws {
        try withHost(storages) { host in
            let connection = try RawConnection(host.socket)
            connection.send(
                "PUT /v1/storages/images/objects/x.png HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            let chunk = Array("400\r\n".utf8) + [UInt8](repeating: 1, count: 1024) + Array("\r\n".utf8)
            var sent = 0
            while sent < 100_000, !connection.hasAnswer(within: 0), connection.send(chunk) { sent += 1 }
            let answer = try connection.answer()
            #expect(answer.status == 413)
            #expect(sent < 100_000)
            #expect(try RawConnection(host.socket).keys("images") == [])
        }
    }

    @Test func aDescriptorIsJudgedLikeABody() throws {
        try withHost(storages) { host in
            let connection = try RawConnection(host.socket)
            try write([UInt8](repeating: 1, count: 6000), to: "\(host.folder)/f")
            try withFile("\(host.folder)/f") { file in
                for (target, length, status) in [
                    ("images/objects/a.png", 5121, 413), ("images/objects/a.txt", 5, 415),
                    ("frozen/objects/a", 5, 403), ("images/objects/a.png", 5120, 201),
                ] {
                    let head =
                        "PUT /v1/storages/\(target) HTTP/1.1\r\nHost: c\r\nCoffer-Fd: offset=0; length=\(length)\r\n\r\n"
                    connection.send(head, attaching: [file])
                    let answer = try connection.answer()
                    #expect(answer.status == status, "\(target): \(answer.text)")
                }
            }
        }
    }

    @Test func nothingChangesAReadOnlyStorage() throws {
        try withHost(storages) { host in
            let connection = try RawConnection(host.socket)
            for (method, target, body) in [
                ("DELETE", "objects/a", nil), ("DELETE", "objects?prefix=a/", nil),
                ("POST", "copy", #"{"from":"a","to":"b"}"#), ("POST", "duplicate", #"{"from":"a"}"#),
                ("PATCH", "stat/a", #"{"content_type":"text/plain"}"#),
                ("POST", "move", #"{"from":"a","to":"b","to_storage":"source"}"#),
            ] {
                let answer = try connection.request(
                    method,
                    "/v1/storages/frozen/\(target)",
                    body: body.map { Array($0.utf8) }
                )
                #expect(answer.status == 403, "\(method) \(target): \(answer.status) \(answer.text)")
            }
        }
    }

    @Test func aPrefixIsTheWholeWorld() throws {
        try withHost(storages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("root", "deep/erased", "outside")
            let made = try connection.put("nested", "a/b", "inside")
            #expect(made["key"]?.stringValue == "a/b")
            #expect(try connection.get("root", "deep/er/a/b") == "inside")
            #expect(try connection.keys("nested") == ["a/b"])
            #expect(try connection.request("GET", "/v1/storages/nested/objects/../erased").status == 400)
            let missing = try connection.request("GET", "/v1/storages/nested/objects/none")
            #expect(try missing.json()["key"]?.stringValue == "none")
            #expect(!missing.text.contains("deep"), "\(missing.text)")
            let moved = try connection.request(
                "POST",
                "/v1/storages/nested/move",
                body: Array(#"{"from":"a/b","to":"c"}"#.utf8)
            )
            #expect(moved.status == 201, "\(moved.text)")
            #expect(try connection.keys("root") == ["deep/er/c", "deep/erased"])
            let dropped = try connection.request("DELETE", "/v1/storages/nested/objects?prefix=&force=true")
            #expect(dropped.status == 200, "\(dropped.text)")
            #expect(try connection.keys("root") == ["deep/erased"])
        }
    }

    @Test(arguments: storageNames)
    func aKeyAndTheKeysBelowItAreBothThereOrTheSecondIsRefused(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            for (first, second) in [("dir", "dir/x"), ("other/x", "other")] {
                try connection.put(storage, first, "1")
                let answer = try connection.request("PUT", "/v1/storages/\(storage)/objects/\(second)", body: [50])
                #expect(answer.status == (storage == "files" ? 409 : 201), "\(second): \(answer.text)")
                #expect(try connection.get(storage, first) == "1")
            }
        }
    }

    @Test(arguments: storageNames)
    func metadataOfTheHostsOwnIsNotAClientsToSet(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let target = "/v1/storages/\(storage)/objects/k"
            let refused = try connection.request("PUT", target, fields: [("Coffer-Meta-Coffer-Token", "x")], body: [1])
            #expect(refused.status == 400, "\(refused.text)")
            #expect(refused.text.contains("coffer-token"), "\(refused.text)")
            #expect(try connection.get(storage, "k") == nil)
        }
    }

    @Test func whatTheBackendKeepsForItselfIsNobodys() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            // Long metadata goes to a sidecar under the reserved name.
            try connection.put(
                "files",
                "k",
                "v",
                fields: (0..<7).map { ("Coffer-Meta-N\($0)", String(repeating: "x", count: 1000)) }
            )
            for name in [".coffer", ".coffer/x", ".coffer/tmp/x"] {
                let target = "/v1/storages/files/objects/\(name)"
                for method in ["PUT", "GET", "HEAD", "DELETE"] {
                    let answer = try connection.request(method, target, body: method == "PUT" ? [1] : nil)
                    let isRefused =
                        answer.status == 400 || (method != "PUT" && (answer.status == 404 || answer.status == 204))
                    #expect(isRefused, "\(method) \(name): \(answer.status)")
                }
                for verb in ["copy", "move"] {
                    let order = Array(#"{"from":"k","to":"\#(name)"}"#.utf8)
                    #expect(try connection.request("POST", "/v1/storages/files/\(verb)", body: order).status == 400)
                }
            }
            #expect(try connection.keys("files") == ["k"])
            #expect(try connection.keys("files", "?prefix=.coffer") == [])
            // What merely looks like it is a key like any other.
            for name in ["a/.coffer", ".coffers", ".cofferx/y"] {
                try connection.put("files", name, name)
                #expect(try connection.get("files", name) == name)
            }
            #expect(try connection.keys("files") == [".coffers", ".cofferx/y", "a/.coffer", "k"])
        }
    }
}
