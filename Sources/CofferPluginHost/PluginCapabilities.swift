import CCofferPlugin
import CofferLoader
import CofferModel

extension Capabilities {
    /// What a store said of itself when it was opened: native or none, with the reason; the host adds what it emulates.
    init(
        native: CapabilityBits,
        notEmulated: CapabilityBits,
        unproven: CapabilityBits,
        declared: CapabilityBits
    ) {
        self.init(unproven: Set(unproven.words.compactMap(Capability.init(rawValue:))))
        for (bit, word) in CapabilityBits.abilities {
            guard let capability = Capability(rawValue: word) else { continue }
            if native.has(bit) {
                self[capability] = Entry(.native)
            } else if unproven.has(bit) {
                self[capability] = Entry(.none, reason: "nobody has proven yet that the store keeps it")
            } else if notEmulated.has(bit) {
                self[capability] = Entry(.none, reason: "the backend says that it must not be emulated here")
            } else if declared.has(bit) {
                self[capability] = Entry(.none, reason: "the backend cannot do it with these options")
            } else {
                self[capability] = Entry(.none, reason: "the backend cannot do it")
            }
        }
        for (bit, word) in CapabilityBits.facts where native.has(bit) {
            if let fact = StoreFact(rawValue: word) { facts.insert(fact) }
        }
    }
}

extension StoreLimits {
    /// The limits in the answer to `open`; what does not fit a number of ours is no limit.
    init(_ opened: coffer_open_result) {
        func limit(_ value: UInt64) -> Int64? { value == 0 ? nil : Int64(exactly: value) }
        self.init(
            objectSize: limit(opened.max_object),
            keyLength: limit(opened.max_key),
            listPage: limit(opened.max_list_page),
            batch: limit(opened.max_batch),
            preferredPart: limit(opened.preferred_part),
            presignSeconds: limit(opened.max_presign_s),
            metadataSize: limit(opened.max_meta)
        )
    }
}
