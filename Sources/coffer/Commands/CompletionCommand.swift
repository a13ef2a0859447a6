extension CommandSpec {
    /// `coffer completion`
    static let completion = CommandSpec(
        "completion",
        "bash|zsh|fish",
        1...1,
        "print the completions of a shell",
        details: """
            bash:  source <(coffer completion bash)
            zsh:   coffer completion zsh > "${fpath[1]}/_coffer"
            fish:  coffer completion fish > ~/.config/fish/completions/coffer.fish
            """,
        completes: .word(["bash", "zsh", "fish"])
    ) { session, output throws(Failure) in
        switch session.operands[0] {
        case "bash": output.write(Completion.bash)
        case "zsh": output.write(Completion.zsh)
        case "fish": output.write(Completion.fish)
        case let shell: throw .usage("completion: \(shell) is none of bash, zsh, fish", command: "completion")
        }
        return 0
    }
}
