// What a plugin says of itself, before anything is open.

import CCofferPlugin

/// What a plugin says of itself.
public struct PluginDescription: Sendable {
    /// How many calls the host may make at once.
    public enum Threads: UInt32, Sendable {
        /// Any calls at once.
        case parallel = 0
        /// The host locks each instance, its streams included.
        case serialInstance = 1
        /// The host locks the whole plugin.
        case serialPlugin = 2
    }

    /// What `backend:` names: `[a-z][a-z0-9-]{0,31}`.
    public var id: String
    /// The plugin's own version.
    public var version: String
    /// A name for people.
    public var name: String
    /// The SPDX expression of the licence.
    public var licence: String
    /// One sentence.
    public var description: String
    /// Where to read more.
    public var homepage: String
    /// How concurrent calls may be.
    public var threads: Threads
    /// Whether the author asks for a process of its own.
    public var wantsProcess: Bool
    /// The most that an instance can claim.
    public var capabilities: Capabilities
    /// The options that `open` takes.
    public var options: [OptionDescription]

    /// What a plugin says of itself.
    public init(
        id: String,
        version: String,
        name: String,
        licence: String,
        description: String,
        homepage: String = "",
        threads: Threads = .parallel,
        wantsProcess: Bool = false,
        capabilities: Capabilities,
        options: [OptionDescription] = []
    ) {
        self.id = id
        self.version = version
        self.name = name
        self.licence = licence
        self.description = description
        self.homepage = homepage
        self.threads = threads
        self.wantsProcess = wantsProcess
        self.capabilities = capabilities
        self.options = options
    }
}

/// One option that an operator may set.
public struct OptionDescription: Sendable {
    /// The type of an option's value; the host checks it before `open`.
    public enum Kind: Sendable, Hashable {
        /// Any text.
        case string
        /// A whole number.
        case integer
        /// `true` or `false`.
        case boolean
        /// Bytes.
        case size
        /// Milliseconds.
        case duration
        /// One of these words.
        case choice([String])
        /// A path, absolute when it arrives.
        case path
        /// An absolute URL.
        case url
        /// A list of strings.
        case list
        /// A map of strings to strings.
        case map
    }

    /// What else holds for an option.
    public struct Flags: OptionSet, Sendable, Hashable {
        /// The bits of the C header.
        public let rawValue: UInt32

        /// Flags by their bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// It must be given.
        public static let required = Flags(rawValue: COFFER_OPTF_REQUIRED)
        /// It is never shown.
        public static let secret = Flags(rawValue: COFFER_OPTF_SECRET)
        /// It may change while open: ask `HostServices.option` again.
        public static let live = Flags(rawValue: COFFER_OPTF_LIVE)
        /// On an option named `*`: any key that is not declared is taken as a string.
        public static let open = Flags(rawValue: COFFER_OPTF_OPEN)
    }

    /// `[a-z][a-z0-9_]*`, or `*`.
    public var name: String
    /// The type of the value.
    public var kind: Kind
    /// What else holds.
    public var flags: Flags
    /// The value where none is given, as an operator would write it.
    public var defaultValue: String?
    /// One sentence.
    public var summary: String
    /// The least and the most, for numbers, sizes and durations.
    public var bounds: ClosedRange<Int64>?
    /// An older name, still taken with a warning.
    public var deprecatedAlias: String?

    /// One option.
    public init(
        _ name: String,
        _ kind: Kind,
        _ summary: String,
        flags: Flags = [],
        default defaultValue: String? = nil,
        bounds: ClosedRange<Int64>? = nil,
        deprecatedAlias: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.summary = summary
        self.flags = flags
        self.defaultValue = defaultValue
        self.bounds = bounds
        self.deprecatedAlias = deprecatedAlias
    }
}
