// Reading one version of an object, call by call.

import CLocal
import CofferPluginSDK
import Glibc

/// A read by stream.
///
/// The open file is the version; what a foreign program does to it in place is noticed at the end.
final class FileReader: ReadStream {
    private let snapshot: Snapshot
    private var position: UInt64
    private let end: UInt64

    /// Reads a part of a version.
    init(_ snapshot: Snapshot, _ range: Range<UInt64>) {
        self.snapshot = snapshot
        position = range.lowerBound
        end = range.upperBound
        // Advice: the kernel may not take it.
        if range.count > 1 << 20 { _ = local_sequential(snapshot.file.number) }
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        let wanted = Int(min(UInt64(buffer.byteCount), end - position))
        if wanted == 0 { return 0 }
        try call.check()
        let number = snapshot.file.number
        let result = buffer.withUnsafeMutableBytes { local_pread(number, $0.baseAddress, wanted, Int64(position)) }
        let count = try explaining("cannot read") { () throws(Refusal) in try Refusal.check(result) }
        if count == 0 { throw Self.changed }
        position += UInt64(count)
        if position == end {
            let facts = try explaining("cannot read") { () throws(Refusal) in try snapshot.file.facts() }
            if facts.size != snapshot.facts.size || facts.mtime_ns != snapshot.facts.mtime_ns { throw Self.changed }
        }
        return count
    }

    func close() {}

    private static let changed = BackendError(.changed, "the file was written to while it was read", isRetryable: true)
}
