/// What a plugin says of itself, in its descriptor or in its manifest.
public struct PluginDescription: Sendable, Hashable {
    /// The unique name; what `backend:` names.
    public var id: String
    /// The plugin's own version.
    public var version: String
    /// The ABI that it was compiled for: `1.0`.
    public var abi: String
    /// The name for people.
    public var name = ""
    /// The licence as an SPDX expression; shown, never judged.
    public var license = ""
    /// One sentence about it.
    public var summary = ""
    /// Where to read more.
    public var homepage = ""
    /// The options it takes.
    public var options: [PluginOption] = []
    /// The upper bound of what its stores do natively.
    public var capabilities: CapabilityBits = []
    /// Whether the author asks for a process of its own.
    public var wantsProcess = false

    /// Creates a description.
    public init(id: String, version: String, abi: String) {
        self.id = id
        self.version = version
        self.abi = abi
    }

    /// Whether `id` is one: `[a-z][a-z0-9-]{0,31}`.
    public static func isValidID(_ id: String) -> Bool {
        guard let first = id.utf8.first, first >= 0x61, first <= 0x7A, id.utf8.count <= 32 else { return false }
        return id.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D }
    }

    /// Why the option table is wrong; nil if it is right.
    var optionProblem: String? {
        var names: Set<String> = []
        for option in options {
            guard option.isOpen || PluginDescription.isValidOptionName(option.name) else {
                return "an option has the name \"\(option.name)\", which is not [a-z][a-z0-9_]*"
            }
            for name in [option.name, option.deprecatedAlias].compactMap(\.self) where !names.insert(name).inserted {
                return "the option \(name) is declared twice"
            }
            if option.kind == .choice && option.choices.isEmpty { return "the option \(option.name) has no choices" }
            if option.minimum > option.maximum { return "the option \(option.name) has a minimum above its maximum" }
            guard option.kind != .path, let value = option.defaultValue else { continue }
            do throws(PluginOption.Misfit) {
                _ = try option.normalized(value)
            } catch {
                return "the default of the option \(error.reason)"
            }
        }
        return nil
    }

    private static func isValidOptionName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first >= 0x61, first <= 0x7A else { return false }
        return name.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F }
    }

    /// How `other` differs in what a host relies on; nil if it does not.
    public func difference(from other: PluginDescription) -> String? {
        func differing(_ what: String, _ mine: String, _ theirs: String) -> String? {
            mine.utf8.elementsEqual(theirs.utf8) ? nil : "\(what) is \(mine), the manifest says \(theirs)"
        }
        if let difference = differing("the id", id, other.id) ?? differing("the version", version, other.version)
            ?? differing("the abi", abi, other.abi)
        {
            return difference
        }
        for option in options {
            guard let declared = other.options.first(where: { $0.name == option.name }) else {
                return "the option \(option.name) is missing in the manifest"
            }
            if declared != option { return "the option \(option.name) is declared otherwise in the manifest" }
        }
        for option in other.options where !options.contains(where: { $0.name == option.name }) {
            return "the manifest has the option \(option.name), the library does not"
        }
        guard capabilities.words == other.capabilities.words else {
            let words = Set(capabilities.words).symmetricDifference(other.capabilities.words).sorted()
            return "the manifest differs in the capabilities \(words.joined(separator: ", "))"
        }
        return nil
    }
}
