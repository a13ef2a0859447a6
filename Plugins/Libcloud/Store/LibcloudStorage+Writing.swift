// Writes: bytes wait in a file without a name, and go to the provider at the commit.

import CLibcloud
import CofferJSON
package import CofferPluginSDK
import Glibc

extension LibcloudStorage {
    package func beginWrite(_ request: WriteRequest, call: Call) throws(BackendError) -> any WriteStream {
        let key = try rule.text(request.key)
        if !request.metadata.isEmpty { _ = try MetadataCode.encoded(request.metadata, Checksums()) }
        return try SpooledWriter(self, request, key: key)
    }
}

/// A write: an upload begins once all of it is here, for no driver takes back what it has begun.
private final class SpooledWriter: WriteStream {
    private let storage: LibcloudStorage
    private let request: WriteRequest
    private let key: String
    private let file: Int32
    private var size: UInt64 = 0
    private var isOpen = true

    init(_ storage: LibcloudStorage, _ request: WriteRequest, key: String) throws(BackendError) {
        self.storage = storage
        self.request = request
        self.key = key
        file = coffer_child_spool(storage.configuration.spool)
        guard file >= 0 else { throw Self.error("making a file in \(storage.configuration.spool)") }
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        var written = 0
        while written < bytes.byteCount {
            if call.isCancelled { throw BackendError(.cancelled, "cancelled") }
            let rest = bytes.extracting(written..<min(bytes.byteCount, written + (8 << 20)))
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                written += count
            } else if count == 0 || errno != EINTR {
                throw Self.error("keeping \(request.key) in \(storage.configuration.spool)")
            }
        }
        size += UInt64(bytes.byteCount)
    }

    func commit(checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        let native = storage.configuration.native
        let sum = checksums["sha256"]
        if let given = request.checksums["sha256"], let sum, !given.value.utf8.elementsEqual(sum.value.utf8) {
            throw BackendError(.checksum, "the bytes of \(request.key) do not match their sha256")
        }
        var question = Question("put", "writing \(request.key)")
        question.isChange = true
        question["key"] = .string(key)
        question["size"] = .integer(Int64(clamping: size))
        if native.contains(.contentType), let type = request.properties["content-type"] {
            question["type"] = .string(type)
        }
        if native.contains(.userMetadata) {
            let fields = try MetadataCode.encoded(request.metadata, checksums)
            question["meta"] = .object(
                JSONObject(fields.map { JSONObject.Member(name: $0.name, value: .string($0.value)) })
            )
        }
        // Nothing is heard of an upload before its end: a provider may take 64 KiB a second.
        let patience = (size >> 16) * 1_000_000_000
        let answer = try storage.pool.ask(question, descriptor: file, patience: patience, call: call)
        return storage.shown(answer.entry(request.key))
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        _ = Glibc.close(file)
    }

    private static func error(_ doing: String) -> BackendError {
        let number = errno
        let code: BackendError.Code =
            switch number {
            case ENOSPC: .noSpace
            case EDQUOT: .quota
            default: .io
            }
        let reason = String(cString: strerror(number)).lowercased()
        return BackendError(code, "\(doing): \(reason)", isRetryable: number == EMFILE, native: number)
    }
}
