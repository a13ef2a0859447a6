// What the host says of the storage: which capabilities are the store's own, and which it adds.

import CofferJSON
import CofferLoader
import CofferPluginSDK

/// The host's description of a storage, in the words of a backend.
struct Grades {
    /// What the store does itself.
    let native: CapabilityBits
    /// What the host does for it.
    let emulated: CapabilityBits
    let traits: Traits

    /// The words for what the host does.
    var emulatedWords: [String] { emulated.words }

    init(_ storage: JSONValue) {
        func bits(_ grade: String) -> CapabilityBits {
            let words = (storage["capabilities"]?.objectValue?.members ?? []).filter {
                $0.value["grade"]?.stringValue == grade
            }
            return words.reduce(into: CapabilityBits(rawValue: 0)) { bits, word in
                // A newer host may have words that this suite does not know.
                if let bit = CapabilityBits(words: [word.name]) { bits.formUnion(bit) }
            }
        }
        native = bits("native")
        emulated = bits("emulated")
        let facts = storage["facts"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let all = native.union(emulated).union(CapabilityBits(words: facts) ?? CapabilityBits(rawValue: 0))
        var limits = Traits.Limits()
        func limit(_ name: String) -> UInt64 {
            storage["limits"]?[name]?.integerValue.map { UInt64(clamping: $0) } ?? 0
        }
        limits.maxObject = limit("object_size")
        limits.maxKey = limit("key_length")
        limits.maxBatch = limit("batch")
        limits.maxMetadata = limit("metadata_size")
        traits = Traits(
            native: Capabilities(rawValue: all.rawValue).intersection(RelayBackend.expressible),
            limits: limits
        )
    }
}
