// The folder of a store in which a storage lives: callers' keys in, the store's keys out, and never the other way round.
import CofferModel

/// Translates between the keys of callers and those of the store.
struct KeySpace: Sendable {
    /// With its slash at the end; empty where the storage is the whole store.
    let prefix: String
    private let storage: String
    private let keyLimit: Int64?

    init(folder: String, storage: String, keyLimit: Int64?) {
        prefix = folder
        self.storage = storage
        self.keyLimit = keyLimit
    }

    /// Checks what an operator wrote as `prefix:`.
    static func check(_ prefix: String) throws(CofferError) {
        guard !prefix.isEmpty else { return }
        do throws(CofferError) {
            try Key(prefix).checkForWriting()
        } catch {
            throw CofferError(.configInvalid, "prefix: \(error.message)")
        }
    }

    /// The store's key of something to be written.
    func forWriting(_ key: Key) throws(CofferError) -> Key {
        do throws(CofferError) {
            try key.checkForWriting()
        } catch {
            throw error.located(storage: storage, key: key)
        }
        return try inner(key)
    }

    /// The store's key of something that may be there.
    func forReading(_ key: Key) throws(CofferError) -> Key {
        do throws(CofferError) {
            try key.checkForReading()
        } catch {
            throw error.located(storage: storage, key: key)
        }
        if !prefix.isEmpty, key.hasDotSegments { throw refused("the key has a segment . or ..", key) }
        return try inner(key)
    }

    private func inner(_ key: Key) throws(CofferError) -> Key {
        let length = Int64(prefix.utf8.count + key.text.utf8.count)
        let limit = min(keyLimit ?? .max, Int64(Key.maximumLength))
        guard length <= limit else {
            let room = limit - Int64(prefix.utf8.count)
            throw refused("the key has \(key.text.utf8.count) bytes, this storage takes \(room)", key)
        }
        return prefix.isEmpty ? key : Key(prefix + key.text)
    }

    private func refused(_ reason: String, _ key: Key) -> CofferError {
        CofferError(.invalidKey, reason, storage: storage, key: key)
    }

    /// The caller's key of a store's.
    func outer(_ key: Key) -> Key {
        guard !prefix.isEmpty, key.text.utf8.starts(with: prefix.utf8) else { return key }
        return Key(String(key.text[key.text.utf8.index(key.text.startIndex, offsetBy: prefix.utf8.count)...]))
    }

    /// The same object as its callers know it.
    func outer(_ info: ObjectInfo) -> ObjectInfo {
        guard !prefix.isEmpty else { return info }
        var info = info
        info.key = outer(info.key)
        return info
    }

    /// The same error as callers may see it: about their key, in this storage, without the prefix.
    func outer(_ error: CofferError, key: Key?) -> CofferError {
        var error = error
        error.storage = storage
        error.key = key ?? error.key.map(outer)
        if !prefix.isEmpty { error.message = error.message.removing(prefix) }
        return error
    }

    /// Strips the prefix from the entries of `batch` from `start` on, without touching their bytes.
    func strip(_ batch: inout ListBatch, from start: Int) {
        let length = prefix.utf8.count
        guard length > 0 else { return }
        for index in start..<batch.records.count {
            let key = batch.records[index].key
            batch.records[index].key = min(key.lowerBound + length, key.upperBound)..<key.upperBound
        }
    }
}

extension String {
    /// The text without any occurrence of `part`, found by bytes.
    fileprivate func removing(_ part: String) -> String {
        let bytes = Array(utf8)
        let needle = Array(part.utf8)
        guard needle.count <= bytes.count else { return self }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if index + needle.count <= bytes.count, bytes[index..<index + needle.count].elementsEqual(needle) {
                index += needle.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
