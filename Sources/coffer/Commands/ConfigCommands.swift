extension CommandSpec {
    /// The command `coffer config check`.
    static let configCheck = passing(
        "check",
        "",
        "check a configuration without starting a host",
        [OptionSpec("--all", "check every profile, not only the active one")]
    )
    /// The command `coffer config show`.
    static let configShow = passing(
        "show",
        "[STORAGE]",
        "show the effective settings and where each comes from"
    )

    private static func passing(_ verb: String, _ operands: String, _ summary: String, _ options: [OptionSpec] = [])
        -> CommandSpec
    {
        CommandSpec(
            "config \(verb)",
            operands,
            0...Int.max,
            summary,
            details: "cofferd does the work; no host needs to run.",
            options: options + [
                OptionSpec("--config", value: "FILE", "the configuration; else it is looked for as cofferd does"),
                OptionSpec("--profile", value: "NAME", "as if this profile were the active one"),
                OptionSpec("--json", "print JSON for machines"),
            ],
            completes: .file,
            passesThrough: true
        ) { session, _ throws(Failure) in
            try Companion.run("cofferd", ["config", verb] + session.operands)
        }
    }
}
