// The words for capabilities, as they stand everywhere else.

import CofferPluginSDK
import MemoryStore

/// What the options of the backend may name: everything that the store in memory does.
enum CapabilityWords {
    /// The capabilities of these words.
    static func read(_ words: [String], option: String) throws(BackendError) -> Capabilities {
        var result: Capabilities = []
        for word in words {
            guard let capability = all[word] else { throw Options.wrong(option, "names no capability: \(word)") }
            result.insert(capability)
        }
        return result
    }

    /// The conditions on changes of these words.
    static func read(conditions words: [String], option: String) throws(BackendError) -> Capabilities {
        let result = try read(words, option: option)
        guard Capabilities.changeConditions.isSuperset(of: result) else {
            throw Options.wrong(option, "names what is no condition on a change: \(words.joined(separator: ", "))")
        }
        return result
    }

    private static let all: [String: Capabilities] = [
        "stat": .stat, "read": .read, "read_range": .readRange, "read_pinned": .readPinned,
        "read_condition": .readCondition, "write": .write, "write_ingest": .writeIngest,
        "atomic_replace": .atomicReplace, "create_if_absent": .createIfAbsent, "if_match": .ifMatch,
        "remove": .remove, "remove_if_match": .removeIfMatch, "remove_batch": .removeBatch, "list": .list,
        "list_delimiter": .listDelimiter, "list_after": .listAfter, "list_sorted": .listSorted, "copy": .copy,
        "copy_condition": .copyCondition, "copy_metadata": .copyMetadata, "move": .move,
        "content_type": .contentType, "content_properties": .contentProperties, "user_metadata": .userMetadata,
        "modification_time": .modificationTime, "checksum": .checksum, "usage": .usage,
    ]
}
