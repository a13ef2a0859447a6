// Sorted entries that were too many for memory, in a file without a name.

import CFTP
import CofferPluginSDK
import Glibc

/// A sorted run of entries in an unlinked file, read block by block.
struct EntryRun {
    private static let blockLength = 32 << 10

    /// What one takes in memory.
    static let weight = 2 * blockLength

    private let file: RunFile
    private var offset: Int
    private let end: Int
    private var block: [UInt8] = []
    private var at = 0
    /// The entry that comes next; nil at the end.
    private(set) var current: DirectoryEntry?

    /// Writes a sorted batch to the end of a file, and begins to read it.
    init(_ batch: EntryBatch, in file: RunFile) throws(BackendError) {
        self.file = file
        offset = file.length
        var waiting: [UInt8] = []
        try batch.forEachRecord { record throws(BackendError) in
            waiting.append(contentsOf: record)
            if waiting.count > 256 << 10 {
                try file.append(waiting)
                waiting.removeAll(keepingCapacity: true)
            }
        }
        try file.append(waiting)
        end = file.length
        try advance()
    }

    /// Goes to the next entry.
    mutating func advance() throws(BackendError) {
        guard try fill(EntryBatch.headLength) else {
            current = nil
            return
        }
        let length = block.withUnsafeBytes { EntryBatch.nameLength($0, at) }
        guard try fill(EntryBatch.headLength + length) else { throw RunFile.broken(EIO) }
        current = block.withUnsafeBytes { EntryBatch.entry($0, at) }
        at += EntryBatch.headLength + length
    }

    private mutating func fill(_ wanted: Int) throws(BackendError) -> Bool {
        if block.count - at >= wanted { return true }
        block.removeFirst(at)
        at = 0
        while block.count < wanted, offset < end {
            let more = try file.read(at: offset, upTo: min(Self.blockLength, end - offset))
            offset += more.count
            block += more
        }
        return block.count >= wanted
    }
}

/// A file that nobody else can find.
final class RunFile {
    private let descriptor: Int32
    private(set) var length = 0

    /// Makes one in the directory for temporary files.
    init() throws(BackendError) {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var path = Array("\(folder)/coffer-ftp-XXXXXX".utf8CString)
        descriptor = ftp_temporary(&path)
        guard descriptor >= 0 else { throw Self.broken(-descriptor) }
        unlink(path)
    }

    deinit { close(descriptor) }

    /// Adds bytes at the end.
    func append(_ bytes: [UInt8]) throws(BackendError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done, length)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.broken(count == 0 ? ENOSPC : errno) }
            done += count
            length += count
        }
    }

    /// Up to so many bytes from an offset, at least one.
    func read(at offset: Int, upTo count: Int) throws(BackendError) -> [UInt8] {
        while true {
            var number: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                let got = pread(descriptor, buffer.baseAddress, count, offset)
                if got < 0 { number = errno }
                filled = max(0, got)
            }
            if number == EINTR { continue }
            guard !bytes.isEmpty else { throw Self.broken(number == 0 ? EIO : number) }
            return bytes
        }
    }

    /// What it means that such a file fails.
    static func broken(_ number: Int32) -> BackendError {
        let reason = String(cString: strerror(number)).lowercased()
        return BackendError(.io, "a long listing needs room for temporary files (TMPDIR): \(reason)", native: number)
    }
}
