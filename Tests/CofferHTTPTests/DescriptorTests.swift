import CofferHTTP
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct DescriptorTests {
    private let handler = ScriptedHandler { request, _ in
        guard let descriptor = request.descriptor else { return .response(HTTPResponse(status: 400)) }
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { return .response(HTTPResponse(status: 500)) }
        let isKept = fcntl(descriptor.number, F_GETFD) & FD_CLOEXEC == 0
        return .response(HTTPResponse(status: isKept ? 500 : 200, body: .bytes(Array("\(status.st_size)".utf8))))
    }

    @Test func aDescriptorArrivesWithTheHeadThatAnnouncesIt() throws {
        try withTemporaryDirectory { directory in
            let file = try makeFile("\(directory)/f", byte: 1, count: 33)
            try withServer(handler) { server in
                let client = try server.connect()
                for _ in 0..<3 {
                    try client.send("PUT / HTTP/1.1\r\nHost: h\r\nCoffer-Fd: offset=0\r\n\r\n", attaching: file)
                    #expect(try client.response()?.text == "33")
                }
                #expect(eventually { openCopies(of: file) == 1 })
            }
        }
    }

    @Test func aDescriptorThatNobodyAnnouncedIsClosed() throws {
        try withTemporaryDirectory { directory in
            let file = try makeFile("\(directory)/f", byte: 1, count: 33)
            try withServer(EchoHandler()) { server in
                let client = try server.connect()
                for _ in 0..<3 {
                    try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n", attaching: file)
                    #expect(try client.response()?.status == 200)
                    // With the body, and in the middle of a head.
                    try client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
                    try client.send("cd", attaching: file)
                    #expect(try client.response()?.text == "PUT / abcd")
                    try client.send("GET / HTTP/1.1\r\n")
                    try client.send("Host: h\r\n\r\n", attaching: file)
                    #expect(try client.response()?.status == 200)
                }
                #expect(eventually { openCopies(of: file) == 1 })
            }
        }
    }

    @Test func anAnnouncedDescriptorThatIsMissingIsNil() throws {
        try withServer(handler) { server in
            let client = try server.connect()
            try client.send("PUT / HTTP/1.1\r\nHost: h\r\nCoffer-Fd: offset=0\r\n\r\n")
            #expect(try client.response()?.status == 400)
        }
    }

    @Test func aDescriptorBelongsToTheHeadOfItsMessage() throws {
        try withTemporaryDirectory { directory in
            let file = try makeFile("\(directory)/f", byte: 1, count: 33)
            try withServer(handler) { server in
                let client = try server.connect()
                try client.send("PUT /1 HTTP/1.1\r\nHost: h\r\n\r\n")
                try client.send("PUT /2 HTTP/1.1\r\nHost: h\r\nCoffer-Fd: offset=0\r\n\r\n", attaching: file)
                #expect(try client.response()?.status == 400)
                #expect(try client.response()?.text == "33")
                #expect(eventually { openCopies(of: file) == 1 })
            }
        }
    }

    @Test(arguments: [(2, "413 "), (Int.max, "200 PUT /body abcdefgh")])
    func aDescriptorBehindABodyBelongsToTheNextHead(limit: Int, answer: String) throws {
        let next = handler
        let handler = ScriptedHandler { request, cancellation in
            guard request.target == "/body" else { return next.respond(to: request, cancellation: cancellation) }
            return .receive(
                Collector(limit: limit) { body, _ in
                    HTTPResponse(status: 200, body: .bytes(Array("PUT /body ".utf8) + body))
                }
            )
        }
        try withTemporaryDirectory { directory in
            let file = try makeFile("\(directory)/f", byte: 1, count: 33)
            try withServer(handler) { server in
                let client = try server.connect()
                try client.send("PUT /body HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nabcd")
                var first = limit < 8 ? try client.response() : nil
                // What is left of the body and the head behind it come as one, as they do when a host is busy.
                try client.send("efghPUT / HTTP/1.1\r\nHost: h\r\nCoffer-Fd: offset=0\r\n\r\n", attaching: file)
                if first == nil { first = try client.response() }
                #expect(first.map { "\($0.status) \($0.text)" } == answer)
                #expect(try client.response()?.text == "33")
                #expect(eventually { openCopies(of: file) == 1 })
            }
        }
    }

    @Test func anAnswerPassesADescriptorWithItsHead() throws {
        try withTemporaryDirectory { directory in
            let file = try makeFile("\(directory)/f", byte: 1, count: 44)
            let handler = ScriptedHandler { _, _ in .response(HTTPResponse(status: 200, body: .passing(file))) }
            try withServer(handler) { server in
                let client = try server.connect()
                for count in 1...3 {
                    try client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                    #expect(try client.response()?.headers["content-length"] == "0")
                    #expect(client.descriptors.count == count)
                }
                #expect(openCopies(of: file) == 4)
            }
        }
    }

    /// How many descriptors of this process are this file.
    private func openCopies(of file: Descriptor) -> Int {
        var wanted = stat()
        fstat(file.number, &wanted)
        return (0..<Int32(4096)).count { number in
            var status = stat()
            return fstat(number, &status) == 0 && status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev
        }
    }
}
