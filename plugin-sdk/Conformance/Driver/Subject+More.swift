import CCofferPlugin

// The calls that few plugins have.

extension Subject {
    /// The results of a batch, by the index of the key.
    func removeBatch(_ keys: [Name], ifMatch: [Name] = []) throws -> [Int: coffer_status] {
        let arena = Arena()
        let items = keys.enumerated().map { index, key in
            var item = coffer_remove_item()
            item.struct_size = UInt32(MemoryLayout<coffer_remove_item>.size)
            item.key = arena.string(key)
            if ifMatch.indices.contains(index) { item.if_match = arena.string(ifMatch[index]) }
            return item
        }
        let start = arena.array(items)
        let collector = Collector()
        try perform("remove_batch of \(keys.count)") { call, error in
            collector.withSink {
                ops.remove_batch?(
                    instance,
                    call,
                    start,
                    items.count,
                    MemoryLayout<coffer_remove_item>.stride,
                    $0,
                    error
                ) ?? COFFER_E_UNSUPPORTED
            }
        }
        var results: [Int: coffer_status] = [:]
        for result in collector.results {
            try expect(results[result.index] == nil, "one result for item \(result.index)", got: "two")
            results[result.index] = result.code
        }
        return results
    }

    func presign(_ key: Name) throws {
        let arena = Arena()
        var arguments = coffer_presign_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_presign_args>.size)
        arguments.method = arena.string("GET")
        arguments.key = arena.string(key)
        arguments.expires_s = 60
        arguments.size_exact = -1
        let place = arena.place(arguments)
        let collector = Collector()
        try perform("presign \(key)") { call, error in
            collector.withSink { ops.presign?(instance, call, place, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
        try expectEqual(collector.values(COFFER_VAL_URL).count, 1, "URLs from presign")
    }

    func publicURL(_ key: Name) throws {
        let arena = Arena()
        let name = arena.string(key)
        let collector = Collector()
        try perform("public_url \(key)") { call, error in
            collector.withSink { ops.public_url?(instance, call, name, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
        try expectEqual(collector.values(COFFER_VAL_URL).count, 1, "URLs from public_url")
    }

    /// What an operator may want to see.
    func health() throws -> [(name: String, value: String)] {
        let collector = Collector()
        try perform("health") { call, error in
            collector.withSink { ops.health?(instance, call, $0, error) ?? COFFER_OK }
        }
        return collector.values.filter { $0.kind == COFFER_VAL_INFO }.map {
            (String(decoding: $0.key.bytes, as: UTF8.self), String(decoding: $0.value.bytes, as: UTF8.self))
        }
    }

    func containerList() throws {
        let collector = Collector()
        try perform("container_list") { call, error in
            collector.withSink { ops.container_list?(instance, call, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
    }

    func usage() throws {
        try expect(try !usageValues().isEmpty, "at least one value from usage", got: "none")
    }

    /// What the store says that it holds, by name.
    func usageValues() throws -> [String: String] {
        let collector = Collector()
        try perform("usage") { call, error in
            collector.withSink { ops.usage?(instance, call, $0, error) ?? COFFER_E_UNSUPPORTED }
        }
        let pairs = collector.values.filter { $0.kind == COFFER_VAL_USAGE }.map {
            (String(decoding: $0.key.bytes, as: UTF8.self), String(decoding: $0.value.bytes, as: UTF8.self))
        }
        return Dictionary(pairs) { _, last in last }
    }
}
