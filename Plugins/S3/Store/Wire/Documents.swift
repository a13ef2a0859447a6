// The small documents that go to the store and come back.

package import CofferPluginSDK
import CofferTransport
import CofferXML

/// One part of an upload that the store has.
package struct UploadedPart: Sendable, Hashable {
    /// From 1.
    package var number: Int
    /// As the store gave it.
    package var etag: String
    /// The checksum that went with it: the element's name and its value.
    package var checksum: (element: String, value: String)?

    /// A part.
    package init(number: Int, etag: String, checksum: (element: String, value: String)? = nil) {
        self.number = number
        self.etag = etag
        self.checksum = checksum
    }

    package static func == (left: UploadedPart, right: UploadedPart) -> Bool {
        left.number == right.number && left.etag == right.etag
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(number) }
}

/// Writes what the store is asked.
package enum Question {
    /// What ends an upload.
    package static func complete(_ parts: [UploadedPart]) -> [UInt8] {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(xmlEscaped(part.etag) ?? "")</ETag>"
            if let (element, value) = part.checksum { text += "<\(element)>\(value)</\(element)>" }
            text += "</Part>"
        }
        return Array((text + "</CompleteMultipartUpload>").utf8)
    }

    /// What removes many keys; nil where XML cannot hold one of them.
    package static func delete(_ keys: [ByteString]) -> [UInt8]? {
        var text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>false</Quiet>"
        for key in keys {
            guard let escaped = escaped(key) else { return nil }
            text += "<Object><Key>\(escaped)</Key></Object>"
        }
        return Array((text + "</Delete>").utf8)
    }

    /// What says where a container shall lie.
    package static func location(_ region: String) -> [UInt8] {
        Array(
            """
            <CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\
            <LocationConstraint>\(region)</LocationConstraint></CreateBucketConfiguration>
            """.utf8
        )
    }

    /// A key as text of XML; nil where XML cannot hold it.
    package static func escaped(_ key: ByteString) -> String? {
        // A reader may make a blank of a line end, or refuse any control character.
        key.bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F } ? xmlEscaped(key.string) : nil
    }
}

/// Reads what the store answers.
package enum Answer {
    /// The upload's id.
    package static func uploadID(_ body: [UInt8]) -> String? { text(body, "UploadId") }

    /// The entity tag of a copy or of a completed upload, without quotes; empty where the store tells none.
    package static func etag(_ body: [UInt8]) -> String { text(body, "ETag").map(unquoted) ?? "" }

    /// `LastModified` of a copy.
    package static func modified(_ body: [UInt8]) -> String? { text(body, "LastModified") }

    /// The keys that were not removed, with the store's code; nil if it is no such answer.
    package static func failedRemovals(_ body: [UInt8]) -> [(key: ByteString, code: String)]? {
        guard let document = document(body), document.name == "DeleteResult" else { return nil }
        return document.all("Error").map { error in
            (ByteString(error["Key"]?.text ?? ""), error["Code"]?.text ?? "")
        }
    }

    /// The containers, with the time of their making.
    package static func containers(_ body: [UInt8]) -> [(name: ByteString, created: String)]? {
        guard let document = document(body), document.name == "ListAllMyBucketsResult" else { return nil }
        return (document["Buckets"]?.all("Bucket") ?? []).map { bucket in
            (ByteString(bucket["Name"]?.text ?? ""), bucket["CreationDate"]?.text ?? "")
        }
    }

    /// The parts of an upload, and the number after which the next page begins.
    package static func parts(_ body: [UInt8]) -> (parts: [(number: Int, etag: String, size: Int64)], next: String?)? {
        guard let document = document(body), document.name == "ListPartsResult" else { return nil }
        let parts = document.all("Part").map { part in
            (
                number: Int(part["PartNumber"]?.text ?? "") ?? 0, etag: unquoted(part["ETag"]?.text ?? ""),
                size: Int64(part["Size"]?.text ?? "") ?? -1
            )
        }
        let isTruncated = document["IsTruncated"]?.text == "true"
        return (parts, isTruncated ? document["NextPartNumberMarker"]?.text : nil)
    }

    /// The pending uploads, and where the next page begins.
    package static func uploads(
        _ body: [UInt8]
    ) -> (uploads: [(key: ByteString, id: String, begun: String)], next: (key: String, id: String)?)? {
        guard let document = document(body), document.name == "ListMultipartUploadsResult" else { return nil }
        let isEscaped = document["EncodingType"]?.text == "url"
        func plain(_ text: String) -> ByteString? {
            guard isEscaped else { return ByteString(text) }
            return percentDecoded(text.utf8.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }).map { ByteString($0) }
        }
        var uploads: [(key: ByteString, id: String, begun: String)] = []
        for upload in document.all("Upload") {
            guard let key = plain(upload["Key"]?.text ?? "") else { return nil }
            uploads.append((key, upload["UploadId"]?.text ?? "", upload["Initiated"]?.text ?? ""))
        }
        guard document["IsTruncated"]?.text == "true" else { return (uploads, nil) }
        let next = (plain(document["NextKeyMarker"]?.text ?? "")?.string, document["NextUploadIdMarker"]?.text ?? "")
        return (uploads, next.0.map { ($0, next.1) })
    }

    private static func text(_ body: [UInt8], _ name: String) -> String? { document(body)?[name]?.text }

    /// What is no document answers nothing: its reader says so.
    private static func document(_ body: [UInt8]) -> XMLElement? { try? XMLParser.parse(body) }
}
