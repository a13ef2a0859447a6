// Manifests: the documents that make one object of segments.

import CofferCrypto
import CofferJSON

/// Reads and writes manifests.
enum Manifest {
    /// The document that names segments of a container.
    static func document(_ segments: [Segment], in container: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            for segment in segments {
                writer.object { writer in
                    writer.member("path", "/\(container)/\(segment.name)")
                    writer.member("etag", segment.etag)
                    writer.member("size_bytes", Int64(clamping: segment.size))
                }
            }
        }
        return writer.bytes
    }

    /// The segments that a document of the store names; nil where it names anything but whole segments of the container.
    static func segments(_ body: [UInt8], in container: String) -> [Segment]? {
        // What is no document names nothing.
        guard let lines = (try? JSONValue(parsing: body))?.arrayValue, !lines.isEmpty else { return nil }
        var segments: [Segment] = []
        let start = "/\(container)/"
        for line in lines {
            guard line["range"]?.stringValue == nil, line["sub_slo"]?.boolValue != true, line["data"] == nil,
                let path = (line["path"] ?? line["name"])?.stringValue, path.utf8.starts(with: start.utf8),
                let etag = (line["etag"] ?? line["hash"])?.stringValue,
                let size = (line["size_bytes"] ?? line["bytes"])?.integerValue, size >= 0
            else { return nil }
            let name = String(decoding: path.utf8.dropFirst(start.utf8.count), as: UTF8.self)
            segments.append(Segment(name: name, etag: etag, size: UInt64(size)))
        }
        return segments
    }

    /// The entity tag of an object in segments: a digest of their digests.
    static func etag(of etags: [String]) -> String { hex(Digest.of(etags.flatMap { Array($0.utf8) }, .md5)) }
}
