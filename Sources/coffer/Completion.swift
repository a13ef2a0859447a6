/// Completions of shells, made of the command table.
enum Completion {
    private static let commands = CommandTable.commands

    /// The second words of a group; empty for a single command.
    private static func seconds(of first: String) -> [String] {
        commands.filter { $0.name.hasPrefix(first + " ") }.map { String($0.name.dropFirst(first.count + 1)) }
    }

    private static func optionWords(of command: CommandSpec) -> [String] {
        command.allOptions.flatMap(\.names)
    }

    /// What a command of ours lists for an operand; nil where the host knows nothing of it.
    private static func question(_ operand: CommandSpec.Operand) -> String? {
        switch operand {
        case .object: "objects"
        case .storage: "storages"
        case .profile: "profiles"
        default: nil
        }
    }

    static var bash: String {
        var text = """
            # Completions of coffer for bash; made by `coffer completion bash`.
            # A colon belongs to an address and must not end a word.
            COMP_WORDBREAKS=${COMP_WORDBREAKS//:}
            _coffer() {
                local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words="" files="" ask=""
                if [ "$COMP_CWORD" -eq 1 ]; then
                    COMPREPLY=($(compgen -W "\(CommandTable.firstWords.joined(separator: " ")) help" -- "$cur"))
                    return
                fi
                case $command in

            """
        for first in CommandTable.firstWords {
            let seconds = seconds(of: first)
            guard !seconds.isEmpty else { continue }
            text += """
                    \(first))
                        if [ "$COMP_CWORD" -eq 2 ]; then
                            COMPREPLY=($(compgen -W "\(seconds.joined(separator: " "))" -- "$cur"))
                            return
                        fi
                        command="$command ${COMP_WORDS[2]}" ;;

                """.indentedLines(4)
        }
        text += "    esac\n    case $command in\n"
        for command in commands {
            text += "        \"\(command.name)\")\n"
            text += "            words=\"\(optionWords(of: command).joined(separator: " "))\"\n"
            switch command.completes {
            case .file: text += "            files=1\n"
            case .word(let words): text += "            words=\"$words \(words.joined(separator: " "))\"\n"
            case .command: text += "            words=\"$words \(CommandTable.firstWords.joined(separator: " "))\"\n"
            default:
                if let question = question(command.completes) {
                    text += "            ask=\(question)\n"
                }
            }
            text += "            ;;\n"
        }
        text += """
                esac
                COMPREPLY=($(compgen -W "$words" -- "$cur"))
                case $cur in
                    -*) ;;
                    *)
                        [ -n "$files" ] && COMPREPLY+=($(compgen -f -- "$cur"))
                        if [ -n "$ask" ]; then
                            local IFS=$'\\n'
                            COMPREPLY+=($(coffer completion "$ask" -- "$cur" 2>/dev/null))
                            case ${COMPREPLY[0]} in *[:/]) compopt -o nospace ;; esac
                        fi ;;
                esac
            }
            complete -F _coffer coffer

            """
        return text
    }

    static var zsh: String {
        var text = """
            #compdef coffer
            # Completions of coffer for zsh; made by `coffer completion zsh`.
            _coffer() {
                local cur=${words[CURRENT]} command=${words[2]}
                if (( CURRENT == 2 )); then
                    local -a commands=(

            """
        for first in CommandTable.firstWords {
            let summary = commands.first { $0.name == first }?.summary ?? seconds(of: first).joined(separator: ", ")
            text += "            '\(first):\(quoted(summary))'\n"
        }
        text += """
                    )
                    _describe command commands
                    return
                fi
                case $command in

            """
        for first in CommandTable.firstWords {
            let seconds = seconds(of: first)
            guard !seconds.isEmpty else { continue }
            text += "        \(first))\n"
            text += "            if (( CURRENT == 3 )); then compadd \(seconds.joined(separator: " ")); return; fi\n"
            text += "            command=\"$command ${words[3]}\" ;;\n"
        }
        text += "    esac\n    case $command in\n"
        for command in commands {
            text += "        '\(command.name)')\n"
            text += "            [[ $cur == -* ]] && compadd -- \(optionWords(of: command).joined(separator: " "))\n"
            switch command.completes {
            case .file: text += "            _files\n"
            case .word(let words): text += "            compadd \(words.joined(separator: " "))\n"
            case .command: text += "            compadd \(CommandTable.firstWords.joined(separator: " "))\n"
            default:
                if let question = question(command.completes) {
                    text +=
                        "            [[ $cur == -* ]] || compadd -S '' -- ${(f)\"$(coffer completion \(question) -- \"$cur\" 2>/dev/null)\"}\n"
                }
            }
            text += "            ;;\n"
        }
        text += "    esac\n}\n_coffer \"$@\"\n"
        return text
    }

    static var fish: String {
        var text = "# Completions of coffer for fish; made by `coffer completion fish`.\ncomplete -c coffer -f\n"
        for first in CommandTable.firstWords {
            let seconds = seconds(of: first)
            let summary = commands.first { $0.name == first }?.summary ?? seconds.joined(separator: ", ")
            text += "complete -c coffer -n __fish_use_subcommand -a \(first) -d '\(quoted(summary))'\n"
            for second in seconds {
                let condition =
                    "__fish_seen_subcommand_from \(first); and not __fish_seen_subcommand_from \(seconds.joined(separator: " "))"
                let summary = commands.first { $0.name == "\(first) \(second)" }?.summary ?? ""
                text += "complete -c coffer -n '\(condition)' -a \(second) -d '\(quoted(summary))'\n"
            }
        }
        for command in commands {
            let words = command.name.split(separator: " ")
            let condition = words.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
            for option in command.allOptions {
                text += "complete -c coffer -n '\(condition)'"
                for name in option.names {
                    text += name.hasPrefix("--") ? " -l \(name.dropFirst(2))" : " -s \(name.dropFirst())"
                }
                text += "\(option.value == nil ? "" : " -r") -d '\(quoted(option.summary))'\n"
            }
            switch command.completes {
            case .file: text += "complete -c coffer -n '\(condition)' -F\n"
            case .word(let words):
                text += "complete -c coffer -n '\(condition)' -a '\(words.joined(separator: " "))'\n"
            case let operand:
                guard let question = question(operand) else { continue }
                let ask = "(coffer completion \(question) -- (commandline -ct) 2>/dev/null)"
                text += "complete -c coffer -n '\(condition)' -a '\(ask)'\n"
            }
        }
        return text
    }

    private static func quoted(_ text: String) -> String {
        String(text.filter { $0 != "'" && $0 != ":" })
    }
}

extension String {
    /// This with `count` spaces before each line.
    fileprivate func indentedLines(_ count: Int) -> String {
        let margin = String(repeating: " ", count: count)
        return split(separator: "\n").map { margin + $0 + "\n" }.joined()
    }
}
