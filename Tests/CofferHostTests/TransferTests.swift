import CofferJSON
import CofferTestSupport
import Testing

/// Copies, moves, generated keys and forms, through the socket.
@Suite struct TransferTests {
    private func post(_ connection: RawConnection, _ target: String, _ body: String) throws -> RawConnection.Answer {
        try connection.request("POST", "/v1/storages/\(target)", body: Array(body.utf8))
    }

    @Test(arguments: storageNames, storageNames)
    func copiesAndMovesWorkWithinAndAcrossStorages(from: String, to: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(from, "s", "body", fields: [("Content-Type", "text/x-test"), ("Coffer-Meta-A", "1")])
            let copy = try post(connection, "\(from)/copy", #"{"from":"s","to":"d/t","to_storage":"\#(to)"}"#)
            #expect(copy.status == 201, "\(copy.text)")
            #expect(try copy.json()["content_type"]?.stringValue == "text/x-test")
            #expect(try copy.json()["metadata"]?["a"]?.stringValue == "1")
            #expect(try connection.get(to, "d/t") == "body")
            let taken = try post(
                connection,
                "\(from)/copy",
                #"{"from":"s","to":"d/t","to_storage":"\#(to)","on_conflict":"error"}"#
            )
            #expect(taken.status == 409)
            let move = try post(connection, "\(from)/move", #"{"from":"s","to":"moved","to_storage":"\#(to)"}"#)
            #expect(move.status == 201, "\(move.text)")
            #expect(try connection.get(to, "moved") == "body")
            #expect(try connection.get(from, "s") == nil)
            let absent = try post(connection, "\(from)/copy", #"{"from":"s","to":"d/t","to_storage":"\#(to)"}"#)
            #expect(absent.status == 404)
            #expect(try connection.get(to, "d/t") == "body")
        }
    }

    @Test(arguments: storageNames)
    func aDuplicateGetsANewKeyWithTheSameExtension(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "docs/a.PDF", "x")
            let answer = try post(connection, "\(storage)/duplicate", #"{"from":"docs/a.PDF"}"#)
            #expect(answer.status == 201, "\(answer.text)")
            let key = try answer.json()["key"]?.stringValue ?? ""
            #expect(key.hasPrefix("docs/") && key.lowercased().hasSuffix(".pdf") && key != "docs/a.PDF")
            #expect(try connection.get(storage, key) == "x")
        }
    }

    @Test func aPostMakesAKeyThatKeepsTheExtension() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let answer = try post(connection, "files/objects?filename=Caf%C3%A9.TXT&location=in", "hi")
            #expect(answer.status == 201, "\(answer.text)")
            let key = try answer.json()["key"]?.stringValue ?? ""
            #expect(key.hasPrefix("in/") && key.hasSuffix(".txt"))
            #expect(try connection.get("files", key) == "hi")
        }
    }

    @Test func aFormIsOneFile() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let form =
                "--XX\r\nContent-Disposition: form-data; name=\"location\"\r\n\r\nup\r\n--XX\r\n"
                + "Content-Disposition: form-data; name=\"f\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n"
                + "1,2\r\n--X\r\n--XX--\r\n"
            let type = ("Content-Type", "multipart/form-data; boundary=XX")
            let answer = try connection.request(
                "POST",
                "/v1/storages/files/objects",
                fields: [type],
                body: Array(form.utf8)
            )
            #expect(answer.status == 201, "\(answer.text)")
            let object = try answer.json()
            let key = object["key"]?.stringValue ?? ""
            #expect(key.hasPrefix("up/") && key.hasSuffix(".csv"))
            #expect(object["content_type"]?.stringValue == "text/csv")
            #expect(try connection.get("files", key) == "1,2\r\n--X")
            // A form that is cut off publishes nothing.
            let before = try connection.keys("files").count
            let cut = try connection.request(
                "POST",
                "/v1/storages/files/objects",
                fields: [type],
                body: Array(form.utf8.dropLast(8))
            )
            #expect(cut.status == 400)
            #expect(try connection.keys("files").count == before)
        }
    }

    @Test func aKeyIsDecodedExactlyOnce() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let keys = [
                ("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("1+1", "1+1"), ("sp%20ace", "sp ace"), ("%22%3F%23", "\"?#"),
            ]
            for (encoded, key) in keys {
                let object = try connection.put("scratch", encoded, key)
                #expect(object["key"]?.stringValue == key)
                let query = key.utf8.map { "%" + String($0, radix: 16).uppercased() }.joined()
                let answer = try connection.request("GET", "/v1/storages/scratch/object?key=\(query)")
                #expect(answer.text == key)
            }
            #expect(try connection.request("GET", "/v1/storages/scratch/objects/%ff").status == 400)
            #expect(try connection.request("GET", "/v1/storages/scratch/objects/%00").status == 400)
            #expect(try connection.request("PUT", "/v1/storages/files/object?key=..%2Fx", body: [1]).status == 400)
        }
    }

    @Test func aPublicURLIsTheStoragesOwnOrNone() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let answer = try connection.request("GET", "/v1/storages/files/url/a%20b/c.txt")
            #expect(try answer.json()["url"]?.stringValue == "https://files.example.org/a%20b/c.txt")
            #expect(try connection.request("GET", "/v1/storages/scratch/url/a").status == 501)
        }
    }
}
