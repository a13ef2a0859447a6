// What a backend says about its options, as the resolver needs it.

/// What kind of value a key takes.
package enum ValueType: String, Sendable, Hashable, CaseIterable {
    /// Any text without NUL.
    case string
    /// A whole decimal number.
    case int
    /// `true` or `false`.
    case bool
    /// Bytes, written with a unit: `5MiB`.
    case size
    /// A time span, written with a unit: `30s`.
    case duration
    /// One of a few words.
    case `enum`
    /// A path; a relative one starts at the folder of the file in which it is written.
    case path
    /// An absolute URL with its scheme.
    case url
    /// A list of texts.
    case list
    /// A mapping from texts to texts.
    case map
}

/// One option that a backend declares.
package struct OptionSchema: Sendable, Hashable {
    package var name: String
    package var type: ValueType
    /// A storage without it is refused.
    package var isRequired: Bool
    /// Its value is never shown.
    package var isSecret: Bool
    /// Its value may be read afresh while the storage is open.
    package var isLive: Bool
    /// As an operator would write it; nil for none.
    package var defaultText: String?
    /// The words of an `enum`.
    package var choices: [String]
    package var doc: String
    /// The least value of an int, a size (bytes) or a duration (milliseconds).
    package var minimum: Int64?
    /// The greatest value of an int, a size (bytes) or a duration (milliseconds).
    package var maximum: Int64?
    /// An older name that is still taken, with a warning.
    package var deprecatedAlias: String?

    package init(
        _ name: String,
        _ type: ValueType,
        isRequired: Bool = false,
        isSecret: Bool = false,
        isLive: Bool = false,
        default defaultText: String? = nil,
        choices: [String] = [],
        doc: String = "",
        minimum: Int64? = nil,
        maximum: Int64? = nil,
        deprecatedAlias: String? = nil
    ) {
        self.name = name
        self.type = type
        self.isRequired = isRequired
        self.isSecret = isSecret
        self.isLive = isLive
        self.defaultText = defaultText
        self.choices = choices
        self.doc = doc
        self.minimum = minimum
        self.maximum = maximum
        self.deprecatedAlias = deprecatedAlias
    }
}

/// A backend that a storage can name, with its options.
package struct BackendSchema: Sendable, Hashable {
    /// The word that `backend:` names.
    package var id: String
    package var options: [OptionSchema]
    /// Whether it takes keys that it does not declare, as text.
    ///
    /// Also the way to let a configuration pass whose plugin is known but cannot tell its options.
    package var isOpen: Bool

    /// Creates a schema; an option called `*` says that the backend is open, as it does in the ABI.
    package init(id: String, options: [OptionSchema], isOpen: Bool = false) {
        self.id = id
        self.options = options.filter { !$0.name.isSame(as: "*") }
        self.isOpen = isOpen || self.options.count < options.count
    }

    /// The option that `key` sets, by its name or its older name.
    func option(for key: String) -> OptionSchema? {
        options.first { $0.name.isSame(as: key) }
            ?? options.first { $0.deprecatedAlias.map { $0.isSame(as: key) } ?? false }
    }

    /// Whether a storage on this backend may set `key`.
    func takes(_ key: String) -> Bool { isOpen || option(for: key) != nil }
}
