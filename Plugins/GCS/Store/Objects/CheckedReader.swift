// A read of a whole object that is compared with the store's own digest.

import CofferCrypto
import CofferPluginSDK

/// A read of a whole object: its last bytes are given only if all of them have the digest that the store told.
final class CheckedReader: ReadStream {
    private let stream: any ReadStream
    private let key: ByteString
    private let expected: String
    private let crc = Digest(.crc32c)
    private var left: UInt64

    init(_ stream: any ReadStream, of resource: ObjectResource) {
        self.stream = stream
        key = resource.entry.key
        expected = resource.crc32c
        left = UInt64(max(0, resource.entry.size))
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        let count = try stream.read(into: &buffer, call: call)
        guard count > 0 else { return 0 }
        buffer.withUnsafeBytes { crc.update(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
        left -= min(left, UInt64(count))
        if left == 0, !crc.finishHex().utf8.elementsEqual(expected.utf8) {
            throw BackendError(
                .corrupt,
                "the bytes have another crc32c than the store tells: \(key)",
                isRetryable: true
            )
        }
        return count
    }

    func close() { stream.close() }
}
