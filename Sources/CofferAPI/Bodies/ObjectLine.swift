import CofferJSON
package import CofferModel

/// Writes entries of a listing as JSON straight into bytes: the fast path of listings.
///
/// What is the same in every entry is made once. An entry costs no String and no allocation.
package struct ObjectLine: Sendable {
    private let head: [UInt8]
    private let tail: [UInt8]

    private static let size = Array(#","size":"#.utf8)
    private static let etag = Array(#","etag":"#.utf8)
    private static let modified = Array(#","version":null,"modified":"#.utf8)
    private static let contentType = Array(#","created":null,"content_type":"#.utf8)
    private static let checksum = Array(
        #","content_encoding":null,"content_disposition":null,"content_language":null,"cache_control":null,"checksum":"#
            .utf8
    )
    private static let sha256 = Array(#"{"algorithm":"sha256","value":"#.utf8)
    private static let null = Array("null".utf8)

    /// Prepares for the objects of one storage.
    package init(storage: String, backend: String, generation: Int64) {
        head = Array(#"{"storage":\#(JSONValue.string(storage)),"backend":\#(JSONValue.string(backend)),"key":"#.utf8)
        tail = Array(#","metadata":null,"generation":\#(generation)}"#.utf8)
    }

    /// Appends the object that `record` of `batch` is, without a newline.
    package func append(_ record: ListBatch.Record, of batch: borrowing ListBatch, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: head)
        bytes.appendJSONString(batch.bytes, record.key)
        bytes.append(contentsOf: Self.size)
        if record.size >= 0 { bytes.appendDecimal(record.size) } else { bytes.append(contentsOf: Self.null) }
        bytes.append(contentsOf: Self.etag)
        appendText(record.etag, of: batch, to: &bytes)
        bytes.append(contentsOf: Self.modified)
        if record.modified == .min {
            bytes.append(contentsOf: Self.null)
        } else {
            bytes.append(UInt8(ascii: "\""))
            bytes.appendTime(Timestamp(nanoseconds: record.modified))
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(contentsOf: Self.contentType)
        appendText(record.contentType, of: batch, to: &bytes)
        bytes.append(contentsOf: Self.checksum)
        if record.sha256.isEmpty {
            bytes.append(contentsOf: Self.null)
        } else {
            bytes.append(contentsOf: Self.sha256)
            bytes.appendJSONString(batch.bytes, record.sha256)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(contentsOf: tail)
    }

    /// Appends `record` of `batch` as a line of NDJSON: an object, or `{"prefix":…}`.
    package func appendLine(_ record: ListBatch.Record, of batch: borrowing ListBatch, to bytes: inout [UInt8]) {
        if record.isPrefix {
            bytes.append(contentsOf: Self.prefix)
            bytes.appendJSONString(batch.bytes, record.key)
            bytes.append(UInt8(ascii: "}"))
        } else {
            append(record, of: batch, to: &bytes)
        }
        bytes.append(0x0A)
    }

    private static let prefix = Array(#"{"prefix":"#.utf8)

    private func appendText(_ slice: ListBatch.Slice, of batch: borrowing ListBatch, to bytes: inout [UInt8]) {
        if slice.isEmpty {
            bytes.append(contentsOf: Self.null)
        } else {
            bytes.appendJSONString(batch.bytes, slice)
        }
    }
}
