import CofferClient
import CofferJSON
import Glibc

/// One step of a scenario, whose arguments must all be asked for: one that nobody knows ends the driver.
final class Step {
    private let members: JSONObject
    /// Where results go is said by the replayer, whatever comes of the call.
    private var asked: Set<String> = ["into"]

    init(_ line: String) throws { members = try JSONValue(parsing: line).objectValue ?? JSONObject() }

    /// An argument as it stands there; nil where it is missing.
    func value(_ name: String) -> JSONValue? {
        asked.insert(name)
        return members[name]
    }

    func text(_ name: String) -> String? { value(name)?.stringValue }

    func number(_ name: String) -> Int64? { value(name)?.integerValue }

    func flag(_ name: String) -> Bool { value(name)?.boolValue ?? false }

    /// A text that must be there.
    func required(_ name: String) throws -> String {
        guard let text = text(name) else { throw Unusable("\(name) is missing") }
        return text
    }

    func key(_ name: String = "key") throws -> Key { Key(try required(name)) }

    /// The body, out of the file that it names.
    func body() throws -> [UInt8] {
        let path = try required("body")
        guard let file = fopen(path, "r") else { throw Unusable("\(path) cannot be read") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
        return bytes
    }

    /// Keeps what was read in the file that `into` names.
    func keep(_ bytes: [UInt8]) throws {
        let path = try required("into")
        guard let file = fopen(path, "w") else { throw Unusable("\(path) cannot be written") }
        let count = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, count == bytes.count else { throw Unusable("\(path) cannot be written") }
    }

    /// Refuses arguments that no verb has asked for.
    func checkAllAsked() throws {
        for member in members where !asked.contains(member.name) {
            throw Unusable("the verb knows no \(member.name)")
        }
    }
}

/// Arguments that several verbs take.
extension Step {
    func match(_ name: String) -> Conditions.Match? { text(name).map { $0 == "*" ? .any : .tokens([$0]) } }

    func conditions() -> Conditions { Conditions(ifMatch: match("if_match"), ifNoneMatch: match("if_none_match")) }

    func onConflict() throws -> OnConflict? {
        try text("on_conflict").map { word in
            guard let rule = OnConflict(rawValue: word) else {
                throw Unsayable("OnConflict is an enumeration, which has no \(word)")
            }
            return rule
        }
    }

    func range() -> ByteRange {
        let (offset, length) = (number("offset"), number("length"))
        if let suffix = number("suffix") { return .suffix(suffix) }
        if let length { return .slice(offset: offset ?? 0, length: length) }
        return offset.map { .from($0) } ?? .all
    }

    func terms() throws -> PutOptions {
        let user = value("metadata")?.objectValue?.map { UserMetadata($0.name, $0.value.stringValue ?? "") }
        let checksums = value("checksums")?.objectValue?.map {
            Checksum(Checksum.Algorithm(rawValue: $0.name), $0.value.stringValue ?? "")
        }
        return PutOptions(
            onConflict: try onConflict(),
            conditions: conditions(),
            metadata: Metadata(
                contentType: text("content_type"),
                contentEncoding: text("content_encoding"),
                contentDisposition: text("content_disposition"),
                contentLanguage: text("content_language"),
                cacheControl: text("cache_control"),
                user: user ?? []
            ),
            checksums: checksums ?? [],
            idempotencyKey: text("idempotency_key")
        )
    }

    /// What is to change: null removes, and what is missing stays.
    func change() -> MetadataChange {
        func field(_ name: String) -> MetadataChange.Field {
            guard let value = value(name) else { return .keep }
            return value.stringValue.map { .set($0) } ?? .clear
        }
        var change = MetadataChange()
        change.contentType = field("content_type")
        change.contentEncoding = field("content_encoding")
        change.contentDisposition = field("content_disposition")
        change.contentLanguage = field("content_language")
        change.cacheControl = field("cache_control")
        for member in value("metadata")?.objectValue ?? JSONObject() {
            change.user[member.name] = .some(member.value.stringValue)
        }
        return change
    }
}

/// A step that is written wrongly: the driver ends.
struct Unusable: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// Something that cannot be said in Swift at all, because a type has no such value.
struct Unsayable: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
