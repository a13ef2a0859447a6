extension CommandSpec {
    /// The command `coffer config check`.
    static let configCheck = passing(
        "check",
        "[--all] [--json] [--config FILE] [--profile NAME]",
        "check a configuration without starting a host"
    )
    /// The command `coffer config show`.
    static let configShow = passing(
        "show",
        "[STORAGE] [--json] [--config FILE] [--profile NAME]",
        "show the effective settings and where each comes from"
    )

    private static func passing(_ verb: String, _ operands: String, _ summary: String) -> CommandSpec {
        CommandSpec(
            "config \(verb)",
            operands,
            0...Int.max,
            summary,
            details: "cofferd does the work; no host needs to run.",
            completes: .file,
            passesThrough: true
        ) { session, _ throws(Failure) in
            try Companion.run("cofferd", ["config", verb] + session.operands)
        }
    }
}
