import CCofferPlugin
import CofferBackend
import CofferLoader
import CofferModel

/// A backend that lives in a loaded plugin.
///
/// What it adds to the plugin's own answers:
/// 1. What the store does not do natively is refused before the plugin is asked.
/// 2. Each call has a deadline of its own.
/// 3. What breaks a rule of the ABI is `plugin_failed` and names the rule; nothing of it gets any further.
final class PluginBackend: Backend {
    let capabilities: Capabilities
    let limits: StoreLimits
    let mustNotEmulate: Set<Capability>
    let instance: PluginInstance
    var isSerial: Bool { instance.isSerial }

    init(_ instance: PluginInstance) {
        self.instance = instance
        capabilities = Capabilities(
            native: instance.native,
            notEmulated: instance.notEmulated,
            unproven: instance.unproven,
            declared: instance.library.description.capabilities
        )
        limits = StoreLimits(instance.opened)
        mustNotEmulate = Set(instance.notEmulated.words.compactMap(Capability.init(rawValue:)))
    }

    func close() { instance.close() }

    // MARK: Errors

    /// Runs `body` and puts what it throws into the words of the house.
    @inline(__always)
    func telling<Result>(
        _ key: Key? = nil,
        _ body: () throws(PluginError) -> Result
    ) throws(CofferError) -> Result {
        do throws(PluginError) {
            return try body()
        } catch {
            throw error.cofferError(instance.context, key: key)
        }
    }

    /// Refuses what the store does not do natively.
    @inline(__always)
    func require(_ bits: UInt64, key: Key? = nil) throws(CofferError) {
        if !instance.native.has(bits) { throw lacking(bits, key) }
    }

    /// Refuses a condition that the plugin cannot even send; true where it can and nobody knows what the store makes of it.
    ///
    /// Whoever stands on top of the bare store asks for such a condition only to prove it, and once it is proven.
    func isUnproven(_ bits: UInt64, key: Key? = nil) throws(CofferError) -> Bool {
        if instance.native.has(bits) { return false }
        guard instance.unproven.has(bits) else { throw lacking(bits, key) }
        return true
    }

    @inline(never)
    private func lacking(_ bits: UInt64, _ key: Key?) -> CofferError {
        let missing = CapabilityBits(rawValue: bits).subtracting(instance.native).words.joined(separator: ", ")
        return CofferError(.unsupported, "the backend \(instance.library.description.id) has no \(missing)", key: key)
    }

    // MARK: Facts

    func health(_ call: Call) throws(CofferError) -> [(name: String, value: String)] {
        var sink = ValueSink(COFFER_VAL_INFO)
        try telling { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                try withSink(&sink) { (to) throws(PluginError) in try instance.health(call, to) }
            }
        }
        return sink.values.map { ($0.name, instance.context.masked($0.value)) }
    }

    func usage(_ call: Call) throws(CofferError) -> [(name: String, value: Int64)] {
        try require(COFFER_CAP_USAGE)
        var sink = ValueSink(COFFER_VAL_USAGE)
        return try telling { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                try withSink(&sink) { (to) throws(PluginError) in try instance.usage(call, to) }
            }
            var result: [(name: String, value: Int64)] = []
            for (name, value) in sink.values {
                guard let number = Int64(value), number >= 0 else {
                    throw .broken("the plugin gave a usage that is no number: \(name)")
                }
                result.append((name, number))
            }
            return result
        }
    }

    func publicURL(of key: Key, _ call: Call) throws(CofferError) -> String {
        try require(COFFER_CAP_PUBLIC_URL, key: key)
        var sink = ValueSink(COFFER_VAL_URL)
        return try telling(key) { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                try withTexts(capacity: room(key.text)) { (texts) throws(PluginError) in
                    let name = texts.keep(key.text)
                    try withSink(&sink) { (to) throws(PluginError) in try instance.publicURL(call, name, to) }
                }
            }
            guard let url = sink.values.first?.value else { throw .broken("the plugin gave no URL") }
            return url
        }
    }
}
