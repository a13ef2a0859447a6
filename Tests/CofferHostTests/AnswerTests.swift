import CofferTestSupport
import Testing

/// What every answer says beside what it is about.
struct AnswerTests {
    @Test func everyAnswerNamesItsGeneration() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let requests = [
                ("PUT", "objects/k", "body"), ("GET", "objects/k", ""), ("PUT", "objects/k", "body"),
                ("GET", "objects/none", ""),
                ("POST", "copy", #"{"from":"k","to":"l"}"#), ("POST", "copy", "nonsense"), ("PATCH", "stat/k", "{}"),
                ("POST", "objects", "body"), ("DELETE", "objects/k", ""),
            ]
            for (method, place, body) in requests {
                let answer = try connection.request(method, "/v1/storages/files/\(place)", body: Array(body.utf8))
                #expect(answer.field("coffer-generation") == "1", "\(method) \(place)")
            }
        }
    }

    @Test func writesAreCountedByTheStatusOfTheirAnswer() throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("files", "k", "one")
            try connection.put("files", "k", "two")
            let wrong = try connection.request(
                "PUT",
                "/v1/storages/files/objects/k",
                fields: [("Content-Digest", "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:")],
                body: Array("three".utf8)
            )
            #expect(wrong.status == 422)
            let text = try connection.request("GET", "/metrics").text
            #expect(text.contains(#"coffer_requests_total{storage="files",operation="put",status="2xx"} 2"#), "\(text)")
            #expect(text.contains(#"coffer_requests_total{storage="files",operation="put",status="4xx"} 1"#), "\(text)")
            #expect(!text.contains(#"status="1xx""#))
        }
    }

    @Test(arguments: ["objects", "stat"])
    func whatWasNotModifiedIsNamed(resource: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("files", "k", "one")
            let place = "/v1/storages/files/\(resource)/k"
            let tag = try #require(try connection.request("GET", place).field("etag"))
            for condition in [tag, "*", "\"other\", \(tag)"] {
                let answer = try connection.request("GET", place, fields: [("If-None-Match", condition)])
                #expect(answer.status == 304)
                #expect(answer.field("etag") == tag, "\(condition)")
            }
        }
    }
}
