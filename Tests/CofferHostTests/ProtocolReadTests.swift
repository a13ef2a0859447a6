import CofferTestSupport
import Testing

/// Reading by condition and by range, and saving under a name (RFC 9110 sections 13 and 14, RFC 6266).
@Suite struct ProtocolReadTests {
    private typealias Fields = [(String, String)]

    private static let past = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let future = "Fri, 31 Dec 2199 23:59:59 GMT"

    @Test(arguments: storageNames)
    func conditionsByTagAndByDate(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "k", "0123456789")
            let target = "/v1/storages/\(storage)/objects/k"
            let known = try connection.request("HEAD", target)
            let tag = try #require(known.field("etag"))
            let modified = try #require(known.field("last-modified"))
            let table: [(Fields, Int)] = [
                ([("If-Match", tag)], 200), ([("If-Match", "\"x\", \(tag)")], 200), ([("If-Match", "*")], 200),
                ([("If-Match", "\"x\"")], 412), ([("If-Match", "W/\(tag)")], 412), ([("If-Match", "x")], 400),
                ([("If-None-Match", tag)], 304), ([("If-None-Match", "W/\(tag)")], 304),
                ([("If-None-Match", "*")], 304),
                ([("If-None-Match", "\"x\"")], 200), ([("If-None-Match", "\"x\""), ("If-None-Match", tag)], 304),
                ([("If-Modified-Since", modified)], 304), ([("If-Modified-Since", Self.past)], 200),
                ([("If-Modified-Since", Self.future)], 304), ([("If-Modified-Since", "yesterday")], 200),
                ([("If-Unmodified-Since", modified)], 200), ([("If-Unmodified-Since", Self.past)], 412),
                ([("If-Unmodified-Since", "yesterday")], 200),
                // Tags outrank dates.
                ([("If-None-Match", "\"x\""), ("If-Modified-Since", Self.future)], 200),
                ([("If-Match", tag), ("If-Unmodified-Since", Self.past)], 200),
                // A condition comes before a range.
                ([("If-None-Match", tag), ("Range", "bytes=0-1")], 304),
                ([("If-Match", "\"x\""), ("Range", "bytes=0-1")], 412),
                ([("If-None-Match", tag), ("Range", "bytes=99-")], 304),
                ([("If-Match", "\"x\""), ("Range", "bytes=99-")], 412),
                ([("If-Unmodified-Since", Self.past), ("Range", "bytes=99-")], 412),
                ([("If-Modified-Since", Self.future), ("Range", "bytes=99-")], 304),
                ([("If-None-Match", tag), ("Range", "bytes=-0")], 304),
                ([("If-Match", "\"x\""), ("Range", "bytes=-0")], 412),
            ]
            for (fields, status) in table {
                for method in ["GET", "HEAD"] {
                    // A range says nothing to HEAD.
                    let answer = try connection.request(method, target, fields: fields)
                    #expect(answer.status == status, "\(method) \(fields)")
                    if status == 304 { #expect(answer.field("etag") == tag, "\(method) \(fields)") }
                }
            }
            for (fields, status) in table where !fields.contains(where: { $0.0 == "Range" }) {
                let answer = try connection.request("GET", "/v1/storages/\(storage)/stat/k", fields: fields)
                #expect(answer.status == status, "stat \(fields)")
            }
        }
    }

    @Test(arguments: storageNames)
    func rangesAndTheirConditions(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "k", "0123456789")
            try connection.put(storage, "empty", "")
            let target = "/v1/storages/\(storage)/objects/k"
            let known = try connection.request("HEAD", target)
            let tag = try #require(known.field("etag"))
            let modified = try #require(known.field("last-modified"))
            let table: [(Fields, Int, String)] = [
                ([("Range", "bytes=2-4")], 206, "234"), ([("Range", "bytes=-3")], 206, "789"),
                ([("Range", "bytes=7-")], 206, "789"), ([("Range", "bytes=0-99")], 206, "0123456789"),
                ([("Range", "bytes=-99")], 206, "0123456789"), ([("Range", "bytes=10-")], 416, ""),
                ([("Range", "bytes=-0")], 416, ""), ([("Range", "bytes=4-2")], 200, "0123456789"),
                ([("Range", "bytes=1-2,4-5")], 200, "0123456789"), ([("Range", "lines=1-2")], 200, "0123456789"),
                ([("Range", "bytes=99999999999999999999-")], 416, ""),
                ([("Range", "bytes=1-99999999999999999999")], 206, "123456789"),
                ([("Range", "bytes=2-4"), ("If-Range", tag)], 206, "234"),
                ([("Range", "bytes=2-4"), ("If-Range", "W/\(tag)")], 200, "0123456789"),
                ([("Range", "bytes=2-4"), ("If-Range", "\"x\"")], 200, "0123456789"),
                ([("Range", "bytes=2-4"), ("If-Range", modified)], 206, "234"),
                ([("Range", "bytes=2-4"), ("If-Range", Self.past)], 200, "0123456789"),
                ([("Range", "bytes=99-"), ("If-Range", "\"x\"")], 200, "0123456789"),
                ([("Range", "bytes=-0"), ("If-Range", "\"x\"")], 200, "0123456789"),
                ([("If-Range", tag)], 200, "0123456789"),
            ]
            for (fields, status, text) in table {
                let answer = try connection.request("GET", target, fields: fields)
                #expect(answer.status == status, "\(fields)")
                switch status {
                case 416: #expect(answer.field("content-range") == "bytes */10")
                case 206: #expect(answer.field("content-range")?.hasSuffix("/10") == true && answer.text == text)
                default: #expect(answer.field("content-range") == nil && answer.text == text)
                }
                #expect(answer.field("coffer-generation") == "1")
            }
            let empty = "/v1/storages/\(storage)/objects/empty"
            for range in ["bytes=0-", "bytes=0-0"] {
                let answer = try connection.request("GET", empty, fields: [("Range", range)])
                // Nothing is all there is: the range is ignored, as it may be.
                #expect(answer.status == 200 && answer.field("content-range") == nil, "\(range)")
            }
        }
    }

    @Test(arguments: [
        ("?download=", "attachment; filename=\"k.txt\""), ("?download=a%20b.txt", "attachment; filename=\"a b.txt\""),
        ("?download=%C3%A9.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
        ("?download=%22%5C%0D%0AX:%201", "attachment; filename=\"____X: 1\"; filename*=UTF-8''%22%5C%0D%0AX%3A%201"),
        ("?download=..%2F..%2Fetc", "attachment; filename=\".._.._etc\"; filename*=UTF-8''..%2F..%2Fetc"),
        ("", "inline; filename=\"mine\""),
    ])
    func anObjectIsSavedUnderItsName(query: String, disposition: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put("files", "d/k.txt", "x", fields: [("Content-Disposition", "inline; filename=\"mine\"")])
            let answer = try connection.request("GET", "/v1/storages/files/objects/d/k.txt\(query)")
            #expect(answer.fields.filter { $0.name == "content-disposition" }.map(\.value) == [disposition])
            #expect(answer.field("x") == nil)
            #expect(answer.text == "x")
        }
    }
}
