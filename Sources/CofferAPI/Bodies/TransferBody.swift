import CofferJSON
package import CofferModel

/// The body of copy, move and duplicate: `{from, to, to_storage, on_conflict, source_if_match}`.
///
/// `If-Match` and `If-None-Match` of the request's head are about the target.
package struct TransferBody: Sendable, Hashable {
    package var from: Key
    /// Nil for duplicate, which makes a key of its own.
    package var to: Key?
    /// Nil for the storage of the path.
    package var toStorage: String?
    /// Nil for the target storage's own rule.
    package var onConflict: OnConflict?
    /// The token that the source must have, without quotes.
    package var sourceIfMatch: String?

    package init(
        from: Key,
        to: Key? = nil,
        toStorage: String? = nil,
        onConflict: OnConflict? = nil,
        sourceIfMatch: String? = nil
    ) {
        self.from = from
        self.to = to
        self.toStorage = toStorage
        self.onConflict = onConflict
        self.sourceIfMatch = sourceIfMatch
    }

    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("from", from.text)
            if let to { $0.member("to", to.text) }
            if let toStorage { $0.member("to_storage", toStorage) }
            if let onConflict { $0.member("on_conflict", onConflict.rawValue) }
            if let sourceIfMatch { $0.member("source_if_match", sourceIfMatch) }
        }
        return writer.bytes
    }

    /// Reads the body of a copy or a move, or of a duplicate, which takes no `to` and no `on_conflict`.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` naming the member, or `invalid_key`.
    package init(parsing bytes: [UInt8], isDuplicate: Bool = false) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        let common = ["from", "to_storage", "source_if_match"]
        try body.allowOnly(isDuplicate ? common : common + ["to", "on_conflict"])
        from = Key(try body.string("from"))
        try from.checkForReading()
        if !isDuplicate {
            let target = Key(try body.string("to"))
            try target.checkForReading()
            to = target
        }
        toStorage = try body.optionalString("to_storage")
        if let rule = try body.optionalString("on_conflict") { onConflict = try OnConflict(checking: rule) }
        sourceIfMatch = try body.optionalString("source_if_match")
    }
}
