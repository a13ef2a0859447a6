// The C plugin of the fixtures, compiled once for each shape, and opened through the registry.
import CofferBackend
import CofferModel
import CofferPluginHost
import CofferSystem
import CofferTestSupport
import Glibc
import Testing

/// Runs `body` with a registry that knows the plugin of `tiny.c`, compiled with `flags`.
func withTinyRegistry<R>(
    _ flags: [String] = [],
    include: String? = nil,
    events: PluginEvents = PluginEvents(),
    _ body: (PluginRegistry) throws -> R
) throws -> R {
    try withTemporaryDirectory { directory in
        let path = "\(directory)/libtiny.so"
        try compilePlugin("tiny.c", to: path, flags, include: include)
        return try body(PluginRegistry(folders: [], declared: [DeclaredPlugin(path: path)], events: events))
    }
}

/// Runs `body` with a store of the plugin of `tiny.c`, and closes it.
func withTiny<R>(
    _ flags: [String] = [],
    include: String? = nil,
    misbehave: String? = nil,
    events: PluginEvents = PluginEvents(),
    _ body: (any Backend) throws -> R
) throws -> R {
    try withTinyRegistry(flags, include: include, events: events) { registry in
        let id = try #require(registry.ids.first)
        let options = misbehave.map { [("misbehave", $0)] } ?? []
        let backend = try registry.open(id, storageName: "test", options: options)
        defer { backend.close() }
        return try body(backend)
    }
}

/// The code and the words of the failure of `body`; nil if it did not fail.
func failure<R>(_ body: () throws -> R) -> CofferError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? CofferError
    }
}

extension Backend {
    /// Writes `text` under `key` in one piece.
    @discardableResult
    func put(_ key: Key, _ text: String, _ conditions: Conditions = .none, type: String? = nil) throws -> ObjectInfo {
        let bytes = Array(text.utf8)
        let request = WriteRequest(
            key: key,
            conditions: conditions,
            metadata: Metadata(contentType: type),
            size: Int64(bytes.count),
            attempt: "attempt-1"
        )
        let stream = try beginWrite(request, Call())
        defer { stream.close() }
        try stream.append(bytes.span.bytes, Call())
        return try stream.commit([], Call())
    }

    /// All that a read of `key` gives, as a stream.
    func get(_ key: Key, _ range: ByteRange = .all, _ conditions: Conditions = .none) throws -> String {
        let result = try openRead(ReadRequest(key: key, conditions: conditions, range: range), Call())
        guard case .stream(let stream) = result.body else { return "not a stream" }
        defer { stream.close() }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 7)
        while true {
            var span = buffer.mutableSpan
            var bytes = span.mutableBytes
            let got = try stream.read(into: &bytes, Call())
            if got == 0 { return String(decoding: text, as: UTF8.self) }
            text += buffer.prefix(got)
        }
    }
}
