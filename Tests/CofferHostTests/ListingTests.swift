import CofferJSON
import CofferTestSupport
import Testing

/// Listings, pages and removals of many, through the socket.
@Suite struct ListingTests {
    @Test(arguments: storageNames)
    func listingsAreInByteOrder(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let keys = ["a/b", "a-b", "a", "A", "b/c/d", "a0", "b/c-d", "~", "é", "z"]
            for key in keys where !(storage == "files" && key == "a") {
                try connection.put(storage, key == "é" ? "%C3%A9" : key, "x")
            }
            let sorted = keys.filter { !(storage == "files" && $0 == "a") }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try connection.keys(storage) == sorted)
            #expect(try connection.keys(storage, "?prefix=b/") == ["b/c-d", "b/c/d"])
            #expect(try connection.keys(storage, "?start_after=a0") == sorted.filter { $0 > "a0" && $0 != "A" })
            let grouped = try connection.request("GET", "/v1/storages/\(storage)/objects?delimiter=/").json()
            #expect(grouped["prefixes"]?.arrayValue?.compactMap(\.stringValue) == ["a/", "b/"])
        }
    }

    @Test(arguments: storageNames, [1, 7, 100])
    func pagesGiveEachKeyOnce(storage: String, limit: Int) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            let keys = (0..<60).map { "p/\($0 % 7)/\($0)" }
            for key in keys { try connection.put(storage, key, "x") }
            var seen: [String] = []
            var cursor = ""
            while true {
                let page = try connection.request("GET", "/v1/storages/\(storage)/objects?limit=\(limit)\(cursor)")
                    .json()
                seen += (page["objects"]?.arrayValue ?? []).compactMap { $0["key"]?.stringValue }
                guard let next = page["cursor"]?.stringValue else { break }
                cursor = "&cursor=\(next)"
            }
            #expect(seen == keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            let foreign = try connection.request("GET", "/v1/storages/\(storage)/objects?cursor=nonsense")
            #expect(foreign.status == 400)
        }
    }

    @Test(arguments: storageNames)
    func theWholeListingStreamsAsLines(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            for number in 0..<30 { try connection.put(storage, "n/\(number)", "x") }
            let answer = try connection.request(
                "GET",
                "/v1/storages/\(storage)/objects?prefix=n/",
                fields: [("Accept", "application/x-ndjson")]
            )
            #expect(answer.field("content-type") == "application/x-ndjson")
            let lines = answer.text.split(separator: "\n")
            #expect(lines.count == 30)
            for line in lines { #expect(try JSONValue(parsing: Array(line.utf8))["size"]?.integerValue == 1) }
        }
    }

    @Test(arguments: storageNames)
    func aPrefixIsRemovedBySegments(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            for key in ["a/a/1", "a/a/2/3", "a/aaa/x", "b"] { try connection.put(storage, key, "x") }
            let objects = "/v1/storages/\(storage)/objects"
            let rehearsal = try connection.request("DELETE", "\(objects)?prefix=a/a/&dry_run=true").json()
            #expect(rehearsal["count"]?.integerValue == 2)
            #expect(try connection.keys(storage).count == 4)
            #expect(try connection.request("DELETE", "\(objects)?prefix=a/a").status == 200)
            #expect(try connection.keys(storage) == ["a/aaa/x", "b"])
            let everything = try connection.request("DELETE", "\(objects)?prefix=")
            #expect(everything.status == 400)
            #expect(everything.text.contains("force"))
            #expect(try connection.request("DELETE", "\(objects)?prefix=&force=true").status == 200)
            #expect(try connection.keys(storage) == [])
        }
    }

    @Test(arguments: storageNames)
    func manyAreRemovedWithOneResultForEach(storage: String) throws {
        try withHost(sampleStorages) { host in
            let connection = try RawConnection(host.socket)
            try connection.put(storage, "x", "1")
            try connection.put(storage, "y", "1")
            let body = #"{"keys":["x","absent",{"key":"y","if_match":"old"},"bad\u0001key"]}"#
            let answer = try connection.request("POST", "/v1/storages/\(storage)/delete", body: Array(body.utf8)).json()
            let results = answer["results"]?.arrayValue ?? []
            #expect(results.map { $0["deleted"]?.boolValue } == [true, true, false, false])
            #expect(results[2]["problem"]?["code"]?.stringValue == "precondition_failed")
            #expect(results[3]["problem"]?["code"]?.stringValue == "invalid_key")
            #expect(try connection.keys(storage) == ["y"])
        }
    }
}
