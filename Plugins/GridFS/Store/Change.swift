// What one change of a key does to the collections, as a value that can be written down and carried out by anybody.

import CofferPluginSDK
import GridFSModel

/// What one change of a key does.
///
/// Each step may be done twice, or late, or by another process: the document that changes does so only from the state in
/// which it was found, and what is deleted is deleted by its identifier, which nothing else ever has.
struct Change: Sendable {
    /// One document of `files` gets other fields, if it is as described.
    struct Edit: Sendable {
        let file: Value
        /// What its fields must be; null is absent.
        let expected: [(path: String, value: Value)]
        /// What they become; null removes the field.
        let fields: [(path: String, value: Value)]
        /// What the document is called then.
        let name: ByteString
    }

    let edit: Edit?
    /// Versions that are over, the oldest first: were the newest deleted first, an older one would show.
    let over: [Value]
    /// The key whose claim falls with this one's, where two keys change at once.
    var other: ByteString?

    /// As fields of a claim.
    ///
    /// Paths and operators are values here, since they may not be names.
    var document: Document {
        .make { writer in
            if let edit {
                writer.append("file", edit.file)
                writer.append("expected", array: edit.expected.map(Self.pair))
                writer.append("fields", array: edit.fields.map(Self.pair))
                writer.append("name", .string(edit.name.bytes))
            }
            writer.append("over", array: over)
            if let other { writer.append("other", .string(other.bytes)) }
        }
    }

    init(edit: Edit?, over: [Value], other: ByteString? = nil) {
        self.edit = edit
        self.over = over
        self.other = other
    }

    /// Reads what a claim says.
    init?(_ document: Document) {
        guard let over = document["over"]?.elements else { return nil }
        self.over = over
        other = document["other"]?.text.map { ByteString($0) }
        guard let file = document["file"] else {
            edit = nil
            return
        }
        guard let name = document["name"]?.text else { return nil }
        edit = Edit(
            file: file,
            expected: Self.pairs(document["expected"]),
            fields: Self.pairs(document["fields"]),
            name: ByteString(name)
        )
    }

    private static func pair(_ pair: (path: String, value: Value)) -> Value {
        .document(
            .make {
                $0.append("path", pair.path)
                $0.append("value", pair.value)
            }
        )
    }

    private static func pairs(_ value: Value?) -> [(path: String, value: Value)] {
        (value?.elements ?? []).compactMap { element in
            guard let path = element.fields?["path"]?.text, let value = element.fields?["value"] else { return nil }
            return (String(decoding: path, as: UTF8.self), value)
        }
    }
}

extension Change.Edit {
    /// The document in the state in which it may change.
    ///
    /// Null equals absent in a filter.
    var filter: Document {
        .make {
            $0.append("_id", file)
            for (path, value) in expected { $0.append(path, value) }
        }
    }

    /// The change itself.
    var update: Document {
        let kept = fields.filter { $0.value != .null }
        let removed = fields.filter { $0.value == .null }
        return .make { writer in
            if !kept.isEmpty { writer.append("$set") { for (path, value) in kept { $0.append(path, value) } } }
            if !removed.isEmpty {
                writer.append("$unset") { for (path, _) in removed { $0.append(path, Int32(1)) } }
            }
        }
    }
}
