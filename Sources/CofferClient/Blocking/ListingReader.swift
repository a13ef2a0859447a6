package import CofferAPI
package import CofferModel

/// A whole listing, read line by line as the host sends it; used by one thread at a time.
///
/// Unchecked because of that contract: only the reading thread touches what is not constant.
package final class ListingReader: @unchecked Sendable {
    private let answer: HostAnswer
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var unread = 0..<0
    private var isEnded = false

    package init(
        _ channel: HostChannel,
        _ storage: String,
        _ parameters: ListParameters,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) {
        let request = HostChannel.Request(.list(storage, parameters), fields: [("Accept", Wire.ndjson)])
        answer = try channel.exchange(request, cancel)
        try answer.check()
    }

    /// The next entry; nil at the end.
    package func next() throws(CofferError) -> ListEntry? {
        guard let line = try nextLine() else { return nil }
        return try ListEntry(line: line)
    }

    /// Whether the next line is here already.
    var hasLine: Bool { buffer[unread].contains(0x0A) }

    /// The next line without its end; nil at the end of the listing.
    package func nextLine() throws(CofferError) -> [UInt8]? {
        var scanned = unread.lowerBound
        while true {
            if let feed = buffer[scanned..<unread.upperBound].firstIndex(of: 0x0A) {
                let line = Array(buffer[unread.lowerBound..<feed])
                unread = (feed + 1)..<unread.upperBound
                if line.isEmpty {
                    scanned = unread.lowerBound
                    continue
                }
                return line
            }
            if isEnded {
                guard unread.isEmpty else { throw CofferError(.corrupt, "the listing ends in the middle of a line") }
                return nil
            }
            let kept = unread.count
            try fill()
            scanned = unread.lowerBound + kept
        }
    }

    private func fill() throws(CofferError) {
        if unread.lowerBound > 0 {
            buffer.replaceSubrange(0..<unread.count, with: buffer[unread])
            unread = 0..<unread.count
        }
        if unread.count == buffer.count {
            guard buffer.count < 1 << 20 else { throw CofferError(.corrupt, "a line of the listing exceeds 1 MiB") }
            buffer.append(contentsOf: repeatElement(0, count: buffer.count))
        }
        let start = unread.count
        let outcome = buffer.withUnsafeMutableBytes { bytes in
            Result { () throws(CofferError) in
                try answer.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
            }
        }
        let count = try outcome.get()
        if count == 0 { isEnded = true }
        unread = 0..<(start + count)
    }
}
