// What stands in requests beyond HTTP itself: targets, keys, fields and JSON bodies. What is accepted must survive
// being written and read again.

import CofferAPI
import CofferJSON
import CofferModel

/// One input: the first byte says what the rest is taken for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let data, size > 0 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    let text = String(decoding: bytes, as: UTF8.self)
    switch data[0] & 7 {
    case 0: target(text)
    case 1: json(bytes)
    case 2: bodies(bytes)
    case 3: conditions(text)
    case 4: digests(text)
    case 5: fields(text)
    case 6: key(text)
    default: coding(bytes, text)
    }
    return 0
}

private func target(_ text: String) {
    for method in ["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS"] {
        do throws(RouteMismatch) {
            let route = try Route.parse(method: method, target: text)
            let again = route.request
            guard method != "HEAD" || again.method == "HEAD" else { continue }
            let second = try Route.parse(method: again.method, target: again.target)
            precondition(second == route, "\(text) became \(again.target)")
        } catch {
            precondition(!error.error.message.isEmpty, "a refusal without a reason")
        }
    }
}

private func json(_ bytes: [UInt8]) {
    guard let value = try? JSONValue(parsing: bytes) else { return }
    for isIndented in [false, true] {
        let written = value.bytes(isIndented: isIndented)
        guard let again = try? JSONValue(parsing: written) else {
            preconditionFailure("unreadable JSON: \(String(decoding: written, as: UTF8.self))")
        }
        precondition(again == value, "another value: \(String(decoding: written, as: UTF8.self))")
    }
}

private func bodies(_ bytes: [UInt8]) {
    if let body = try? TransferBody(parsing: bytes) {
        precondition((try? TransferBody(parsing: body.encode())) == body, "a transfer changed")
    }
    if let body = try? TransferBody(parsing: bytes, isDuplicate: true) {
        precondition((try? TransferBody(parsing: body.encode(), isDuplicate: true)) == body, "a duplication changed")
    }
    if let body = try? DeletionBody(parsing: bytes) {
        precondition((try? DeletionBody(parsing: body.encode())) == body, "a deletion changed")
    }
    if let body = try? MetadataChange(parsing: bytes) {
        precondition((try? MetadataChange(parsing: body.encode())) == body, "a change of metadata changed")
    }
    if let body = try? EphemeralStorageBody(parsing: bytes) {
        precondition((try? EphemeralStorageBody(parsing: body.encode())) == body, "a storage changed")
    }
    _ = Problem.decode(bytes, status: 500)
}

private func conditions(_ text: String) {
    // Lines are values of fields, each under every name.
    let values = text.split(separator: "\n").map(String.init)
    for name in ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"] {
        _ = try? RequestConditions { $0 == name ? values : [] }
    }
    if let range = try? RangeFields.parse(values), let field = RangeFields.format(range) {
        precondition((try? RangeFields.parse([field])) == range, "a range became \(field)")
    }
    for value in values {
        if let (range, size) = RangeFields.parseContentRange(value) {
            precondition(!range.isEmpty && size.map { $0 >= range.upperBound } ?? true, "bytes outside of \(value)")
        }
        if let date = HTTPDate.parse(value) {
            precondition(HTTPDate.parse(HTTPDate.format(date)) == date, "another date than \(value)")
        }
        if let time = Timestamp(value) {
            precondition(Timestamp(time.description) == time, "another time than \(value)")
        }
    }
}

private func digests(_ text: String) {
    guard let checksums = try? DigestFields.parse(text, field: "content-digest") else { return }
    guard let field = try? DigestFields.announcement(checksums) else {
        preconditionFailure("digests that cannot be written: \(checksums)")
    }
    guard !checksums.isEmpty else { return }
    let again = (try? DigestFields.parse(field, field: "content-digest")) ?? []
    precondition(Set(again) == Set(checksums), "digests became \(field)")
}

private func fields(_ text: String) {
    let lines = text.split(separator: "\n").compactMap { line -> (name: String, value: String)? in
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return (String(line[..<colon]), String(line[line.utf8.index(after: colon)...]))
    }
    if let metadata = try? RequestFields.metadata(lines) {
        let again = try? RequestFields.metadata(RequestFields.fields(of: metadata))
        precondition(again == metadata, "metadata changed: \(metadata)")
    }
    _ = try? RequestFields.idempotencyKey { name in
        lines.filter { $0.name.lowercased() == name }.map(\.value)
    }
    for (_, value) in lines {
        if let field = try? DescriptorField(parsing: value) {
            precondition((try? DescriptorField(parsing: field.text)) == field, "a descriptor's range changed")
        }
        _ = ContentDisposition.make(filename: value)
        _ = Wire.wantsNDJSON(accept: [value])
        _ = Wire.wantsDescriptor(prefer: [value])
    }
}

private func key(_ text: String) {
    let key = Key(text)
    guard (try? key.checkForReading()) != nil else {
        precondition((try? key.checkForWriting()) == nil, "a key to write that is none to read")
        return
    }
    for route in [Route.stat("s", key, version: nil), .put("s", key, onConflict: nil), .url("s", key)] {
        let again = route.request
        precondition((try? Route.parse(method: again.method, target: again.target)) == route, again.target)
    }
}

private func coding(_ bytes: [UInt8], _ text: String) {
    if let decoded = PercentCoding.decode(bytes[...]) {
        for set in [PercentCoding.Set.path, .component, .field, .attribute] {
            let encoded = PercentCoding.encode(decoded, keeping: set)
            let again = PercentCoding.decode(Array(encoded.utf8)[...])
            precondition(again.map { $0.utf8.elementsEqual(decoded.utf8) } ?? false, "another text than \(encoded)")
        }
    }
    precondition(Base64.decode(Base64.encode(bytes).utf8) == bytes, "other bytes after Base64")
    _ = Base64.decode(text.utf8)
    precondition(Hexadecimal.decode(Hexadecimal.encode(bytes)) == bytes, "other bytes after hexadecimal")
    _ = Hexadecimal.decode(text)
}
