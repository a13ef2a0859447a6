import CofferLoader

/// Where the lines and numbers of plugins go; the closures run on the plugins' threads.
package struct PluginEvents: Sendable {
    /// How much a line matters.
    package enum Level: UInt32, Sendable, Hashable {
        case error = 1
        case warning, info, debug
    }

    /// One line of a plugin's log, secrets masked.
    package struct Line: Sendable, Hashable {
        /// The plugin's file.
        package var plugin: String
        /// The storage that it speaks of; nil where it is none in particular.
        package var storage: String?
        package var level: Level
        package var message: String
    }

    /// One number of a plugin's.
    package struct Metric: Sendable, Hashable {
        /// What a number is.
        package enum Kind: UInt32, Sendable, Hashable {
            case counter = 1
            case gauge
            /// Seconds.
            case timing
        }

        /// The plugin's file.
        package var plugin: String
        /// The storage that it speaks of; nil where it is none in particular.
        package var storage: String?
        package var kind: Kind
        package var name: String
        package var value: Double
        package var labels: [Label]
    }

    /// What tells a number from others of its name.
    package struct Label: Sendable, Hashable {
        package var name: String
        package var value: String
    }

    /// Lines that matter less are not even made.
    package var level: Level
    package var log: @Sendable (Line) -> Void
    package var metric: @Sendable (Metric) -> Void

    /// Creates receivers; without arguments, lines and numbers are dropped.
    package init(
        level: Level = .info,
        log: @escaping @Sendable (Line) -> Void = { _ in },
        metric: @escaping @Sendable (Metric) -> Void = { _ in }
    ) {
        self.level = level
        self.log = log
        self.metric = metric
    }

    /// The same for the loader.
    var hostEvents: HostEvents {
        HostEvents(
            level: HostEvents.Level(rawValue: level.rawValue) ?? .info,
            log: { [log] line in
                log(
                    Line(
                        plugin: line.plugin,
                        storage: line.storage,
                        level: Level(rawValue: line.level.rawValue) ?? .info,
                        message: line.message
                    )
                )
            },
            metric: { [metric] number in
                metric(
                    Metric(
                        plugin: number.plugin,
                        storage: number.storage,
                        kind: Metric.Kind(rawValue: number.kind.rawValue) ?? .gauge,
                        name: number.name,
                        value: number.value,
                        labels: number.labels.map { Label(name: $0.name, value: $0.value) }
                    )
                )
            }
        )
    }
}
