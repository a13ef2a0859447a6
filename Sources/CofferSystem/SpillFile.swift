// Room on disk for what outgrows memory: a file that no name leads to, gone with the last reference.
import Glibc

/// An unlinked temporary file that grows at its end and is read anywhere.
///
/// Unchecked because `end` changes only in ``append(_:)``, which one owner calls at a time, before it reads.
package final class SpillFile: @unchecked Sendable {
    private let file: Descriptor
    /// How many bytes it has.
    package private(set) var end: Int64 = 0

    /// Makes one in `directory`.
    package init(in directory: String) throws(SystemError) {
        let path = "\(directory)/coffer-spill-\(UInt64.random(in: 0 ... .max))"
        let number = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemError("make a temporary file in \(directory)", number: errno) }
        file = Descriptor(owning: number)
        unlink(path)
    }

    /// Writes all of `bytes` at the end.
    package func append(_ bytes: RawSpan) throws(SystemError) {
        var done = 0
        while done < bytes.byteCount {
            let count = bytes.withUnsafeBytes { all in
                let rest = UnsafeRawBufferPointer(rebasing: all[done...])
                return pwrite(file.number, rest.baseAddress, rest.count, off_t(end))
            }
            if count < 0 {
                guard errno == EINTR else { throw SystemError("write a temporary file", number: errno) }
                continue
            }
            done += count
            end += Int64(count)
        }
    }

    /// Reads up to the length of `buffer` at `offset` and says how much; 0 only at the end.
    package func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(SystemError) -> Int {
        try file.read(into: &buffer, at: offset)
    }
}
