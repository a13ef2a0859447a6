// Sorted items in an unlinked file, for directories that hold more than memory may.

import CofferPluginSDK
import Glibc

/// A sorted run of items in a file without a name: written once, read once.
final class ItemRun {
    private static let blockSize = 32 << 10

    private let file: Int32
    private let end: Int
    private var offset = 0
    private var block: [UInt8] = []
    private var at = 0
    /// What comes next; nil at the end.
    private(set) var current: SortedItem?

    /// Writes a sorted batch to a new file in the system's folder for such files.
    init(_ batch: ItemBatch) throws(BackendError) {
        file = try Self.unnamedFile()
        var total = 0
        var gathered: [UInt8] = []
        for index in 0..<batch.count {
            batch.withRecord(index) { gathered.append(contentsOf: $0) }
            guard gathered.count >= 8 * Self.blockSize || index == batch.count - 1 else { continue }
            do throws(BackendError) { try Self.write(gathered, to: file, at: total) } catch {
                Glibc.close(file)
                throw error
            }
            total += gathered.count
            gathered.removeAll(keepingCapacity: true)
        }
        end = total
    }

    deinit { Glibc.close(file) }

    private static func unnamedFile() throws(BackendError) -> Int32 {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = "\(folder)/coffer-list.\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure("cannot make a temporary file in \(folder)") }
        unlink(path)
        return file
    }

    private static func write(_ bytes: [UInt8], to file: Int32, at offset: Int) throws(BackendError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(file, $0.baseAddress.map { $0 + done }, $0.count - done, offset + done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot write a temporary file") }
            done += count
        }
    }

    private static func failure(_ what: String) -> BackendError {
        let code = errno
        return BackendError(
            code == ENOSPC ? .noSpace : .io,
            "\(what): \(String(cString: strerror(code)).lowercased())",
            native: code
        )
    }

    /// Goes to the next item.
    func advance() throws(BackendError) {
        guard try fill(ItemBatch.headLength) else {
            current = nil
            return
        }
        let length = block.withUnsafeBytes { ItemBatch.length(UnsafeRawBufferPointer(rebasing: $0[at...])) }
        guard try fill(length) else { throw BackendError(.io, "a temporary file ends early") }
        current = block.withUnsafeBytes { SortedItem(UnsafeRawBufferPointer(rebasing: $0[at..<(at + length)])) }
        at += length
    }

    private func fill(_ wanted: Int) throws(BackendError) -> Bool {
        if block.count - at >= wanted { return true }
        block.removeFirst(at)
        at = 0
        while block.count < wanted && offset < end {
            let size = min(Self.blockSize, end - offset)
            let start = block.count
            block.append(contentsOf: repeatElement(0, count: size))
            let count = block.withUnsafeMutableBytes { pread(file, $0.baseAddress.map { $0 + start }, size, offset) }
            block.removeLast(size - max(0, count))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("cannot read a temporary file") }
            offset += count
        }
        return block.count >= wanted
    }
}
