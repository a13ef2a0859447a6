import CofferLoader

/// A plugin as the operator sees it.
package struct PluginListing: Sendable, Hashable {
    /// What became of it.
    package enum State: Sendable, Hashable {
        /// Its manifest is right; none of its code ran.
        case found
        /// It serves, or can.
        case loaded
        /// It cannot serve, with the reason.
        case failed(String)
    }

    /// What `backend:` names; for a broken manifest, the name of its file.
    package var id: String
    /// The library; for a broken manifest, the manifest.
    package var path: String
    /// The manifest, if one declares it.
    package var manifest: String?
    package var state: State
    package var version = ""
    package var abi = ""
    /// An SPDX expression.
    package var license = ""
    package var description = ""
    package var homepage = ""
    package var options: [PluginOptionSchema] = []
    /// What its stores may do natively, in the words of ``Capability``.
    package var capabilities: [String] = []
}

/// One option that a plugin declares.
package struct PluginOptionSchema: Sendable, Hashable {
    /// The name; `*` stands for any name that is not declared.
    package var name: String
    /// `string`, `int`, `bool`, `size`, `duration`, `enum`, `path`, `url`, `list` or `map`.
    package var type: String
    package var isRequired: Bool
    package var isSecret: Bool
    package var isLive: Bool
    /// In the form that an operator would write.
    package var defaultValue: String?
    package var choices: [String]
    package var documentation: String
    /// The smallest value; nil for any.
    package var minimum: Int64?
    /// The largest value; nil for any.
    package var maximum: Int64?
    package var deprecatedAlias: String?

    /// Whether it stands for any name that is not declared.
    package var isOpen: Bool { name == "*" }

    init(_ option: PluginOption) {
        let isBounded = option.minimum != 0 || option.maximum != 0
        name = option.name
        type = option.kind.rawValue
        isRequired = option.isRequired
        isSecret = option.isSecret
        isLive = option.isLive
        defaultValue = option.defaultValue
        choices = option.choices
        documentation = option.documentation
        minimum = isBounded ? option.minimum : nil
        maximum = isBounded ? option.maximum : nil
        deprecatedAlias = option.deprecatedAlias
    }
}

extension PluginListing {
    /// Adds what the plugin says of itself.
    mutating func describe(_ plugin: PluginDescription) {
        version = plugin.version
        abi = plugin.abi
        license = plugin.license
        description = plugin.summary
        homepage = plugin.homepage
        options = plugin.options.map(PluginOptionSchema.init)
        capabilities = plugin.capabilities.words
    }
}
