public import CCofferPlugin
public import CofferLoader

/// A plugin under test and the options to open it with.
///
/// Unchecked because a descriptor never changes and lives until the process ends.
public struct SubjectFactory: @unchecked Sendable {
    /// The plugin's description of itself.
    public let plugin: UnsafePointer<coffer_plugin>
    let settings: [(String, String)]
    /// Whether this process runs other things meanwhile: then nobody counts its descriptors, threads and memory.
    public var sharesProcess = false

    /// Takes a descriptor and the options, by name; `{tmp}` in a value becomes a fresh directory for each case.
    public init(plugin: UnsafePointer<coffer_plugin>, settings: [(String, String)] = []) {
        self.plugin = plugin
        self.settings = settings
    }

    /// Takes a loaded plugin, whose entry is asked once more, with the suite's own host.
    public init(library: PluginLibrary, settings: [(String, String)] = []) throws(LoadError) {
        guard let plugin = library.entry(SuiteHost.table, nil) else {
            throw LoadError(library.path, .refused, "it refuses when its entry is called again")
        }
        self.init(plugin: plugin, settings: settings)
    }

    /// The table to give to a plugin's entry point: the suite's own host.
    public static var host: UnsafePointer<coffer_host> { SuiteHost.table }

    /// Opens the plugin once, and answers what its health tells.
    ///
    /// - Returns: names and values, as the plugin gives them.
    /// - Throws: ``Failure``, where it does not open or is not healthy.
    public func health() throws(Failure) -> [(name: String, value: String)] {
        let facts = Guarded<[(name: String, value: String)]>([])
        let opening = ConformanceCase(0, "health", "given an opening, then health answers") { trial in
            let found = try trial.subject().health()
            facts.withLock { $0 = found }
        }
        if case .failed(let failure) = ConformanceSuite.run(opening, on: self, scale: .quick) { throw failure }
        return facts.withLock { $0 }
    }

    /// Whether some setting names a fresh directory.
    var usesTemporaryPlace: Bool { settings.contains { $0.1.contains("{tmp}") } }

    /// The options as a host passes them: every declared one that has a value.
    func options(place: String) -> [(Name, Name)] {
        var result: [(Name, Name)] = []
        var named: Set<String> = []
        for (name, value) in settings {
            named.insert(name)
            let type = declared.first { $0.name == name }?.type ?? COFFER_OPT_STRING
            result.append((Name(name), Name(Self.expanded(Self.replaced(value, place), type: type))))
        }
        for option in declared where !named.contains(option.name) {
            guard let value = option.defaultValue else { continue }
            result.append((Name(option.name), Name(Self.expanded(value, type: option.type))))
        }
        return result
    }

    struct Option {
        let name: String
        let type: UInt32
        let flags: UInt32
        let defaultValue: String?
    }

    /// The option table, read with the plugin's own stride.
    var declared: [Option] {
        guard let start = plugin.pointee.options else { return [] }
        let stride = Int(plugin.pointee.option_size)
        return (0..<plugin.pointee.n_options).compactMap { index in
            let at = UnsafeRawPointer(start) + index * stride
            let option = at.assumingMemoryBound(to: coffer_option.self).pointee
            guard let name = option.name else { return nil }
            return Option(
                name: String(cString: name),
                type: option.type,
                flags: option.flags,
                defaultValue: option.default_value.map { String(cString: $0) }
            )
        }
    }

    private static func replaced(_ value: String, _ place: String) -> String {
        var result: [UInt8] = []
        var rest = Array(value.utf8)[...]
        let mark = Array("{tmp}".utf8)
        while let first = rest.first {
            if rest.starts(with: mark) {
                result += Array(place.utf8)
                rest = rest.dropFirst(mark.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Sizes and durations in the form in which a host passes them: bytes and milliseconds in decimal.
    private static func expanded(_ value: String, type: UInt32) -> String {
        let digits = value.prefix { $0.isNumber }
        guard let number = Int(digits), digits.count < value.count else { return value }
        let unit = String(value.dropFirst(digits.count))
        let factors: [String: Int] =
            switch type {
            case COFFER_OPT_SIZE:
                [
                    "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "kB": 1000, "KB": 1000,
                    "MB": 1_000_000, "GB": 1_000_000_000,
                ]
            case COFFER_OPT_DURATION: ["ms": 1, "s": 1000, "m": 60000, "min": 60000, "h": 3_600_000, "d": 86_400_000]
            default: [:]
            }
        return factors[unit].map { String(number * $0) } ?? value
    }
}
