// Objects as descriptors, both ways: by a client that has none of our libraries.
import CofferJSON
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct DescriptorTests {
    private func contents(_ file: Descriptor, _ offset: Int64, _ length: Int) -> String {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = pread(file.number, &bytes, length, off_t(offset))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private func opened(_ path: String, _ flags: Int32) -> Descriptor {
        Descriptor(owning: open(path, flags | O_CLOEXEC, 0o600))
    }

    private let prefer = ("Prefer", "coffer-fd")

    @Test func aReadGivesTheFileAndWhichBytesOfItAreMeant() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let put = try connection.put("files", "a/b", "0123456789")
            let target = "/v1/storages/files/objects/a/b"
            let whole = try connection.request("GET", target, fields: [prefer])
            #expect(whole.status == 200 && whole.body.isEmpty)
            #expect(whole.field("preference-applied") == "coffer-fd")
            #expect(whole.field("coffer-fd") == "offset=0; length=10")
            #expect(whole.field("content-length") == "0")
            #expect(whole.field("etag") == "\"\(put["etag"]?.stringValue ?? "")\"")
            let file = try #require(connection.takeDescriptor())
            #expect(contents(file, 0, 100) == "0123456789")
            #expect(fcntl(file.number, F_GETFL) & O_ACCMODE == O_RDONLY)
            // The reader keeps what it opened, whatever is written afterwards.
            try connection.put("files", "a/b", "new")
            #expect(contents(file, 0, 100) == "0123456789")
            try connection.put("files", "a/b", "0123456789")
            let part = try connection.request("GET", target, fields: [prefer, ("Range", "bytes=3-6")])
            #expect(part.status == 206)
            #expect(part.field("coffer-fd") == "offset=3; length=4")
            #expect(part.field("content-range") == "bytes 3-6/10")
            let second = try #require(connection.takeDescriptor())
            #expect(contents(second, 3, 4) == "3456")
            // Without the preference, and where there is no object, nothing travels.
            #expect(try connection.request("GET", target).text == "0123456789")
            #expect(try connection.request("GET", target + "x", fields: [prefer]).status == 404)
            #expect(connection.takeDescriptor() == nil)
        }
    }

    @Test(arguments: ["scratch", "bare"])
    func aStoreWithoutFilesSendsBytes(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "k", "bytes")
            let answer = try connection.request("GET", "/v1/storages/\(storage)/objects/k", fields: [prefer])
            #expect(answer.status == 200 && answer.text == "bytes")
            #expect(answer.field("preference-applied") == nil && connection.takeDescriptor() == nil)
        }
    }

    @Test(arguments: storageNames)
    func aWriteTakesTheRangeOfAFile(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let path = "\(host.folder)/source"
            try write(Array("0123456789".utf8), to: path)
            let file = opened(path, O_RDONLY)
            // What a store opens once is open from its first write on.
            try connection.put(storage, "k", "old")
            let count = host.descriptorCount
            for (offset, length, text) in [(0, 10, "0123456789"), (3, 4, "3456"), (10, 0, "")] {
                let head =
                    "PUT /v1/storages/\(storage)/objects/k HTTP/1.1\r\nHost: c\r\n"
                    + "Coffer-Fd: offset=\(offset); length=\(length)\r\n\r\n"
                #expect(connection.send(head, attaching: [file.number]))
                let answer = try connection.answer()
                #expect(answer.status == 201 || answer.status == 200, "\(answer.text)")
                #expect(try answer.json()["size"]?.integerValue == Int64(length))
                #expect(try connection.get(storage, "k") == text)
            }
            // A file without a name is a file.
            let nameless = opened(host.folder, O_RDWR | 0o20_200_000)
            #expect(Glibc.write(nameless.number, "hidden", 6) == 6)
            let head =
                "PUT /v1/storages/\(storage)/objects/n HTTP/1.1\r\nHost: c\r\nCoffer-Fd: offset=0; length=6\r\n\r\n"
            #expect(connection.send(head, attaching: [nameless.number]))
            #expect(try connection.answer().status == 201)
            unlink(path)
            #expect(connection.send(head.replacing("/n ", with: "/u "), attaching: [file.number]))
            #expect(try connection.answer().status == 201)
            #expect(try connection.get(storage, "u") == "012345")
            #expect(try eventually { host.descriptorCount <= count + 1 }, "\(count) then \(host.descriptorCount)")
        }
    }

    @Test func whatIsNoFileToReadIsRefusedAndNothingLeaks() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let path = "\(host.folder)/source"
            try write(Array("0123456789".utf8), to: path)
            var pipes: [Int32] = [0, 0]
            #expect(pipe(&pipes) == 0)
            let (reader, writer) = (Descriptor(owning: pipes[0]), Descriptor(owning: pipes[1]))
            let file = opened(path, O_RDONLY)
            let zero = opened("/dev/zero", O_RDONLY)
            let cases: [(Descriptor?, String, String)] = [
                (opened(host.folder, O_RDONLY | O_DIRECTORY), "offset=0; length=1", "no regular file"),
                (reader, "offset=0; length=1", "no regular file"), (zero, "offset=0; length=1", "no regular file"),
                (opened(path, O_WRONLY), "offset=0; length=1", "not open for reading"),
                (opened(path, 0o10_000_000), "offset=0; length=1", "not open for reading"),
                (file, "offset=0; length=11", "outside the file of 10 bytes"),
                (file, "offset=11; length=0", "outside the file of 10 bytes"),
                (file, "offset=9; length=9223372036854775807", "coffer-fd must be like"),
                (file, "offset=-1; length=1", "coffer-fd must be like"), (file, "", "coffer-fd must be like"),
                (nil, "offset=0; length=1", "did not come with exactly one"),
            ]
            // Counted once the host has taken the connection and opened what a listing opens.
            #expect(try connection.keys("files") == [])
            let count = host.descriptorCount
            for (descriptor, field, words) in cases {
                let head = "PUT /v1/storages/files/objects/k HTTP/1.1\r\nHost: c\r\nCoffer-Fd: \(field)\r\n\r\n"
                #expect(connection.send(head, attaching: descriptor.map { [$0.number] } ?? []))
                let answer = try connection.answer()
                #expect(answer.status == 400, "\(words): \(answer.status)")
                #expect(try answer.code() == "invalid_argument", "\(words)")
                #expect(answer.text.contains(words), "\(words): \(answer.text)")
            }
            withExtendedLifetime(writer) {}
            #expect(try connection.keys("files") == [])
            #expect(try eventually { host.descriptorCount <= count }, "\(count) then \(host.descriptorCount)")
        }
    }

    @Test func aDescriptorThatNobodyAskedForIsClosed() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let path = "\(host.folder)/source"
            try write(Array("0123456789".utf8), to: path)
            let file = opened(path, O_RDONLY)
            #expect(try connection.request("GET", "/v1/storages/files/objects/k").status == 404)
            let count = host.descriptorCount
            for _ in 0..<5 {
                connection.send("GET /v1/health HTTP/1.1\r\nHost: c\r\n\r\n", attaching: [file.number])
                #expect(try connection.answer().status == 200)
            }
            // Two are one too many: neither is taken for the other.
            let head = "PUT /v1/storages/files/objects/k HTTP/1.1\r\nHost: c\r\nCoffer-Fd: offset=0; length=10\r\n\r\n"
            for _ in 0..<5 {
                connection.send(head, attaching: [file.number, file.number])
                let answer = try connection.answer()
                #expect(answer.status == 400, "\(answer.text)")
            }
            #expect(try connection.keys("files") == [])
            #expect(try eventually { host.descriptorCount <= count }, "\(count) then \(host.descriptorCount)")
        }
    }

    @Test(arguments: storageNames)
    func aWrongDigestOfADescriptorPublishesNothing(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "k", "old")
            let path = "\(host.folder)/source"
            try write(Array("abc".utf8), to: path)
            let file = opened(path, O_RDONLY)
            func put(_ digest: String) throws -> Int {
                let head =
                    "PUT /v1/storages/\(storage)/objects/k HTTP/1.1\r\nHost: c\r\n"
                    + "Repr-Digest: sha-256=:\(digest):\r\nCoffer-Fd: offset=0; length=3\r\n\r\n"
                connection.send(head, attaching: [file.number])
                return try connection.answer().status
            }
            #expect(try put("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") == 422)
            #expect(try connection.get(storage, "k") == "old")
            #expect(try put("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=") == 200)
            #expect(try connection.get(storage, "k") == "abc")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func aForeignUserGetsNoDescriptorOfAFileThatItMayWrite() throws {
        let text = "access: [{ uid: 65534, allow: download }]\n" + sampleStorages
        try withHost(text) { host in
            chmod(host.folder, 0o711)
            let owner = try RawConnection(host.socket)
            try owner.put("files", "ours", "0123456789")
            try owner.put("files", "theirs", "0123456789")
            let theirs = "\(host.folder)/data/files/theirs"
            chmod(theirs, 0o666)
            let script = """
                import array, socket, sys
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[1])
                s.sendall(b"GET /v1/storages/files/objects/" + sys.argv[2].encode()
                          + b" HTTP/1.1\\r\\nHost: c\\r\\nPrefer: coffer-fd\\r\\nConnection: close\\r\\n\\r\\n")
                data, count = b"", 0
                while True:
                    part, extra, _, _ = s.recvmsg(65536, 256)
                    count += len(extra)
                    if not part: break
                    data += part
                print(count, data.split(b"\\r\\n\\r\\n", 1)[1].decode())
                """
            try write(Array(script.utf8), to: "\(host.folder)/read.py")
            func read(_ key: String) throws -> String {
                let words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3"]
                return try run(words + ["\(host.folder)/read.py", host.socket, key], in: host.folder).output
            }
            // A file that only we may write travels; one that the caller could open for writing is sent as bytes.
            #expect(try read("ours") == "1 \n")
            #expect(try read("theirs") == "0 0123456789\n")
        }
    }
}
