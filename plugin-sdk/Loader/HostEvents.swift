/// Where the lines and numbers of plugins go.
///
/// The closures are called on the plugin's threads and must not call into the plugin.
public struct HostEvents: Sendable {
    /// How much a line matters.
    public enum Level: UInt32, Sendable, Hashable, Comparable {
        case error = 1
        case warning, info, debug

        /// Whether `left` matters more.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// One line of a plugin's log.
    public struct Line: Sendable, Hashable {
        /// The plugin's file.
        public var plugin: String
        /// The storage that it speaks of; nil where it is none in particular.
        public var storage: String?
        /// How much it matters.
        public var level: Level
        /// The text in one line, secrets masked.
        public var message: String
    }

    /// One number of a plugin's.
    public struct Metric: Sendable, Hashable {
        /// What the number counts.
        public enum Kind: UInt32, Sendable, Hashable {
            case counter = 1
            case gauge
            /// Seconds.
            case timing
        }

        /// The plugin's file.
        public var plugin: String
        /// The storage that it speaks of; nil where it is none in particular.
        public var storage: String?
        /// What the number counts.
        public var kind: Kind
        /// The name.
        public var name: String
        /// The number.
        public var value: Double
        /// What tells this one from others of its name.
        public var labels: [Label]
    }

    /// A name and a value.
    public struct Label: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String
    }

    /// Lines that matter less than this are not even made.
    public var level: Level
    /// Takes a line.
    public var log: @Sendable (Line) -> Void
    /// Takes a number.
    public var metric: @Sendable (Metric) -> Void

    /// Creates receivers; without arguments, lines and numbers are dropped.
    public init(
        level: Level = .info,
        log: @escaping @Sendable (Line) -> Void = { _ in },
        metric: @escaping @Sendable (Metric) -> Void = { _ in }
    ) {
        self.level = level
        self.log = log
        self.metric = metric
    }
}
