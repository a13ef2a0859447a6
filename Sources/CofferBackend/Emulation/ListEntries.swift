// Entries of listings as bytes: compared, and copied from batch to batch.
import CofferModel

extension ListBatch {
    /// Copies the entry `record`, whose texts lie in `source`, behind the others.
    mutating func append(_ record: Record, from source: [UInt8]) {
        var copy = record
        copy.key = keep(source[record.key])
        copy.etag = keep(source[record.etag])
        copy.contentType = keep(source[record.contentType])
        copy.sha256 = keep(source[record.sha256])
        records.append(copy)
    }
}

/// Whether the bytes at `left` come before those at `right`, which may lie in another array.
func precedes(_ left: Range<Int>, in leftBytes: [UInt8], _ right: Range<Int>, in rightBytes: [UInt8]) -> Bool {
    let leftSpan = leftBytes.span
    let rightSpan = rightBytes.span
    let count = min(left.count, right.count)
    for index in 0..<count {
        let first = leftSpan[left.lowerBound + index]
        let second = rightSpan[right.lowerBound + index]
        if first != second { return first < second }
    }
    return left.count < right.count
}
