import CofferProfile
import Glibc

/// `cofferd config check` and `cofferd config show`: what a configuration says, without serving it.
struct ConfigurationCommands {
    private let arguments: Arguments

    init(_ arguments: Arguments) { self.arguments = arguments }

    /// Says what is wrong; the exit code.
    func check(all: Bool) -> Int32 {
        withLoader { loader throws(ConfigurationError) in
            if all {
                let warnings = try loader.checkAll()
                for warning in warnings { print(warning) }
                if !arguments.isJSON { print("\(loader.path): every profile is right") }
                return
            }
            let configuration = try loader.load()
            print(arguments.isJSON ? "{\"errors\":[]}\n" : configuration.checkReport, terminator: "")
        }
    }

    /// Prints the effective settings and where each comes from; the exit code.
    func show(_ storage: String?) -> Int32 {
        var code: Int32 = 0
        let result = withLoader { loader throws(ConfigurationError) in
            let configuration = try loader.load()
            let report =
                arguments.isJSON
                ? configuration.jsonReport(storage: storage) : configuration.report(storage: storage)
            guard let report else {
                let known = configuration.storages.map(\.name).joined(separator: ", ")
                Terminal.complain("no such storage: \(storage ?? ""); known are \(known)")
                code = 3
                return
            }
            print(report, terminator: "")
        }
        return result == 0 ? code : result
    }

    private func withLoader(_ body: (ConfigurationLoader) throws(ConfigurationError) -> Void) -> Int32 {
        let (path, tried) = Locations.configuration(argument: arguments.configuration)
        guard let path else {
            Terminal.complain("there is no configuration; looked at \(tried.joined(separator: ", "))")
            return 7
        }
        // What plugins log on being asked for their options is nothing that this command was asked for.
        let plugins = Plugins(log: Log(threshold: .warning))
        let loader = ConfigurationLoader(
            path: path,
            profile: arguments.profile,
            state: Locations.state,
            plugins: plugins
        )
        do throws(ConfigurationError) {
            try body(loader)
            return 0
        } catch {
            if arguments.isJSON {
                print(error.jsonReport, terminator: "")
            } else {
                Terminal.complain(lines: error.checkReport)
                plugins.complainIfEmpty()
            }
            return 7
        }
    }
}
