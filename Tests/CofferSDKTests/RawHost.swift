// A host with bare hands: it calls the C table as a stranger would.

import CCofferPlugin
import CofferPluginSDK
import CofferSystem

/// What one call brought: its status, its error, and what came through the sink.
struct RawAnswer {
    var status: coffer_status = COFFER_OK
    var message = ""
    var entries: [RawEntry] = []
    var values: [(kind: UInt32, name: String, value: String)] = []
    var results: [(index: Int, code: coffer_status)] = []
}

/// An entry, copied out of the sink.
struct RawEntry: Equatable {
    var key: String
    var size: Int64
    var etag: String
    var properties: [String: String] = [:]
    var metadata: [String: String] = [:]
    var checksums: [String] = []
}

/// What the host was told beside answers.
struct RawNotes {
    var lines: [String] = []
    var metrics: [String] = []
    var cancelled = false
}

let rawNotes = Locked(RawNotes())

func text(_ string: coffer_str) -> String {
    string.ptr.map { String(decoding: UnsafeRawBufferPointer(start: $0, count: string.len), as: UTF8.self) } ?? ""
}

/// Strings for the arguments of one call.
final class RawStrings {
    private var kept: [UnsafeMutableBufferPointer<CChar>] = []

    deinit {
        for buffer in kept { buffer.deallocate() }
    }

    func callAsFunction(_ bytes: [UInt8]) -> coffer_str {
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: bytes.count + 1)
        _ = buffer.initialize(from: bytes.map { CChar(bitPattern: $0) } + [0])
        kept.append(buffer)
        return coffer_str(ptr: UnsafePointer(buffer.baseAddress), len: bytes.count)
    }

    func callAsFunction(_ string: String) -> coffer_str { self(Array(string.utf8)) }
}

/// The host's own table; made in a function of no actor, since plugins call it from any thread.
nonisolated func makeRawHost() -> coffer_host {
    var host = coffer_host()
    host.struct_size = UInt32(MemoryLayout<coffer_host>.size)
    host.abi = COFFER_ABI_CURRENT
    host.log = { _, _, level, message in
        let line = "\(level) \(text(message))"
        rawNotes.withLock { $0.lines.append(line) }
    }
    host.metric = { _, _, kind, name, value, labels, count in
        let label = count > 0 ? labels.map { "\(text($0[0].key))=\(text($0[0].value))" } ?? "" : ""
        let line = "\(kind) \(text(name)) \(value) \(label)"
        rawNotes.withLock { $0.metrics.append(line) }
    }
    host.cancelled = { _, _ in rawNotes.withLock { $0.cancelled } ? 1 : 0 }
    host.config_get = { _, _, key, sink in
        guard let sink, text(key) == "mode" else { return COFFER_E_NOT_FOUND }
        let strings = RawStrings()
        return withExtendedLifetime(strings) {
            _ = sink.pointee.on_value?(sink.pointee.ctx, COFFER_VAL_CONFIG, coffer_str(), strings("live"))
            return COFFER_OK
        }
    }
    return host
}

/// The kit exported nothing.
struct RefusedExport: Error {}

/// The descriptor of a backend, for a host that lives as long as the process.
nonisolated func rawPlugin(_ type: (some StorageBackend).Type) throws -> UnsafePointer<coffer_plugin> {
    var host = makeRawHost()
    guard let plugin = exportBackend(type, &host, nil) else { throw RefusedExport() }
    return plugin
}

/// Runs one operation with a sink and an error of the test's own, and copies what came.
nonisolated func ask(
    _ body: (UnsafePointer<coffer_call>, UnsafePointer<coffer_sink>, UnsafeMutablePointer<coffer_error>) ->
        coffer_status?
) -> RawAnswer {
    var answer = RawAnswer()
    var message = [CChar](repeating: 0, count: 256)
    withUnsafeMutablePointer(to: &answer) { slot in
        var sink = coffer_sink()
        sink.struct_size = UInt32(MemoryLayout<coffer_sink>.size)
        sink.ctx = UnsafeMutableRawPointer(slot)
        sink.on_entry = { context, entry in
            guard let context, let entry = entry?.pointee else { return 0 }
            var copy = RawEntry(key: text(entry.key), size: entry.size, etag: text(entry.etag))
            for index in 0..<entry.n_props {
                copy.properties[text(entry.props[index].key)] = text(entry.props[index].value)
            }
            for index in 0..<entry.n_meta { copy.metadata[text(entry.meta[index].key)] = text(entry.meta[index].value) }
            for index in 0..<entry.n_checksums {
                let checksum = entry.checksums[index]
                copy.checksums.append("\(text(checksum.algorithm)):\(text(checksum.value)):\(checksum.flags)")
            }
            context.assumingMemoryBound(to: RawAnswer.self).pointee.entries.append(copy)
            return 0
        }
        sink.on_value = { context, kind, name, value in
            context?.assumingMemoryBound(to: RawAnswer.self).pointee.values.append((kind, text(name), text(value)))
            return 0
        }
        sink.on_result = { context, index, error in
            context?.assumingMemoryBound(to: RawAnswer.self).pointee.results
                .append((index, error?.pointee.code ?? COFFER_OK))
            return 0
        }
        var call = coffer_call()
        call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
        message.withUnsafeMutableBufferPointer { buffer in
            var error = coffer_error()
            error.struct_size = UInt32(MemoryLayout<coffer_error>.size)
            error.message_cap = UInt32(buffer.count)
            error.message = buffer.baseAddress
            slot.pointee.status = body(&call, &sink, &error) ?? COFFER_E_UNSUPPORTED
            let written = UnsafeRawBufferPointer(start: buffer.baseAddress, count: Int(error.message_len))
            slot.pointee.message = String(decoding: written, as: UTF8.self)
        }
    }
    return answer
}
