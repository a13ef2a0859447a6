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
    static let pluginInspect = passing(
        "inspect",
        "FILE.so",
        "show what a plugin says of itself",
        [
            OptionSpec("--manifest", "print its manifest, for NAME.backend.json"),
            OptionSpec("--json", "print JSON for machines"),
        ]
    )
    /// The command `coffer plugin check`.
    static let pluginCheck = passing(
        "check",
        "FILE.so",
        "prove that a plugin keeps its promises",
        [
            OptionSpec(
                "--set",
                value: "KEY=VALUE",
                "an option of the plugin; {tmp} becomes a fresh directory for each case"
            ),
            OptionSpec("--case", value: "NAME", "only this case, by name or number; may be given again"),
            OptionSpec("--scale", value: "quick|full", "seconds, or every promise as it is written"),
            OptionSpec("--through-host", "on a storage of a host of its own, which proves what the host emulates"),
            OptionSpec("--cofferd", value: "PATH", "that host; else the one beside coffer-plugin-check, or in PATH"),
            OptionSpec("--in-process", "run the cases in one process, for a debugger"),
            OptionSpec("--list", "print the cases and run none"),
            OptionSpec("--json", "print JSON for machines, one line for each case"),
        ]
    )
    /// The command `coffer plugin new`.
    static let pluginNew = passing(
        "new",
        "NAME [DIR]",
        "write a small plugin to begin with",
        [OptionSpec("--language", value: "c|rust|swift", "what it is written in")]
    )

    private static func passing(_ verb: String, _ operands: String, _ summary: String, _ options: [OptionSpec])
        -> CommandSpec
    {
        CommandSpec(
            "plugin \(verb)",
            operands,
            0...Int.max,
            summary,
            details: "coffer-plugin-check does the work; no host needs to run.",
            options: options,
            completes: .file,
            passesThrough: true
        ) { session, _ throws(Failure) in
            try Companion.run("coffer-plugin-check", [verb] + session.operands)
        }
    }
}
