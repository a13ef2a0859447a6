// Metadata and checksums as arrays of the ABI; their texts lie in ``Texts``.
import CCofferPlugin
import CofferLoader
import CofferModel

extension Metadata {
    private var named: [(name: String, value: String?)] {
        [
            ("content-type", contentType), ("content-encoding", contentEncoding),
            ("content-disposition", contentDisposition), ("content-language", contentLanguage),
            ("cache-control", cacheControl),
        ]
    }

    private var isEmpty: Bool {
        contentType == nil && contentEncoding == nil && contentDisposition == nil && contentLanguage == nil
            && cacheControl == nil
    }

    /// The bytes that its texts need.
    var room: Int {
        var bytes = user.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 2 }
        guard !isEmpty else { return bytes }
        for (name, value) in named { if let value { bytes += name.utf8.count + value.utf8.count + 2 } }
        return bytes
    }

    /// The properties with reserved names.
    func properties(_ texts: inout Texts) -> [coffer_kv] {
        guard !isEmpty else { return [] }
        var pairs: [coffer_kv] = []
        for (name, value) in named {
            if let value { pairs.append(coffer_kv(key: texts.keep(name), value: texts.keep(value))) }
        }
        return pairs
    }

    /// The caller's own names and values.
    func userPairs(_ texts: inout Texts) -> [coffer_kv] {
        var pairs: [coffer_kv] = []
        for pair in user { pairs.append(coffer_kv(key: texts.keep(pair.name), value: texts.keep(pair.value))) }
        return pairs
    }
}

/// The bytes that the texts of `checksums` need.
func roomFor(_ checksums: [Checksum]) -> Int {
    checksums.reduce(0) { $0 + $1.algorithm.rawValue.utf8.count + $1.value.utf8.count + 2 }
}

/// `checksums` as the ABI has them.
func kept(_ checksums: [Checksum], _ texts: inout Texts) -> [coffer_checksum] {
    var result: [coffer_checksum] = []
    for checksum in checksums {
        result.append(
            coffer_checksum(
                algorithm: texts.keep(checksum.algorithm.rawValue),
                value: texts.keep(checksum.value),
                flags: checksum.isComposite ? UInt64(COFFER_CHECKSUM_COMPOSITE) : 0
            )
        )
    }
    return result
}

/// Runs `body` with the memory of all three.
func withBuffers<Result>(
    _ props: [coffer_kv],
    _ meta: [coffer_kv],
    _ checksums: [coffer_checksum],
    _ body: (
        UnsafeBufferPointer<coffer_kv>, UnsafeBufferPointer<coffer_kv>, UnsafeBufferPointer<coffer_checksum>
    ) throws(PluginError) -> Result
) throws(PluginError) -> Result {
    try props.withUnsafeBufferPointer { (props) throws(PluginError) in
        try meta.withUnsafeBufferPointer { (meta) throws(PluginError) in
            try checksums.withUnsafeBufferPointer { (checksums) throws(PluginError) in
                try body(props, meta, checksums)
            }
        }
    }
}
