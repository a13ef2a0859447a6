import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer plugin list`.
    static let pluginList = CommandSpec("plugin list", "", 0...0, "show the plugins that the host found") {
        session,
        output throws(Failure) in
        let channel = session.channel
        let plugins = try about("plugins") { () throws(CofferError) in try channel.plugins() }
        if session.isJSON {
            output.document(PluginInfo.encode(plugins))
            return 0
        }
        var rows = [["ID", "VERSION", "STATE", "LICENCE", "PATH"]]
        for plugin in plugins {
            rows.append([
                plugin.id, plugin.version ?? "-", plugin.state, plugin.licence ?? "-", plugin.path ?? "-",
            ])
        }
        output.table(rows)
        for plugin in plugins {
            if let failure = plugin.failure { output.line("\(plugin.id): \(failure.message)") }
        }
        return 0
    }

    /// The command `coffer plugin inspect`.
    static let pluginInspect = passing("inspect", "FILE.so", "show what a plugin says of itself, without trusting it")
    /// The command `coffer plugin check`.
    static let pluginCheck = passing("check", "FILE.so", "prove that a plugin keeps its promises")
    /// The command `coffer plugin new`.
    static let pluginNew = passing("new", "NAME", "write a small plugin to begin with")

    private static func passing(_ verb: String, _ operands: String, _ summary: String) -> CommandSpec {
        CommandSpec(
            "plugin \(verb)",
            "[OPTIONS] \(operands)",
            0...Int.max,
            summary,
            details: "coffer-plugin-check does the work; coffer-plugin-check --help tells its options.",
            completes: .file,
            passesThrough: true
        ) { session, _ throws(Failure) in
            try Companion.run("coffer-plugin-check", [verb] + session.operands)
        }
    }
}
