import CofferLoader
import Glibc

// coffer-plugin-check: proves a plugin, shows what it says of itself, and starts a new one.

private let help = """
    usage: coffer-plugin-check check FILE.so [--set KEY=VALUE…] [--case NAME…] [--scale quick|full] [--through-host]
                                             [--cofferd PATH] [--json] [--list]
           coffer-plugin-check inspect FILE.so [--manifest] [--json]
           coffer-plugin-check new --language c|rust|swift NAME [DIR]

    check    runs the conformance suite on the plugin by itself, each case in a fresh instance
               --set KEY=VALUE   an option of the plugin; {tmp} in it becomes a fresh directory for each case
               --case NAME       only this case, by name or number; may be repeated
               --scale           quick (the default): seconds; full: every promise as it is written
               --through-host    on a storage of a real host, which proves what the host emulates
               --cofferd PATH    that host; without it the one beside this program, or in PATH
               --in-process      run the cases in this process, for a debugger
               --json            one JSON object for each case, one a line
               --list            print the cases and run none
    inspect  prints what the plugin says of itself; --manifest prints its manifest for NAME.backend.json
    new      writes a new plugin into DIR (default: NAME), ready to build; it overwrites nothing

    exit: 0 done, 1 a case failed or the plugin cannot be loaded, 2 usage, 7 an option of the plugin is wrong

    """

private func run(_ arguments: [String]) -> Int32 {
    do {
        switch arguments.first {
        case "check": return try CheckCommand(Array(arguments.dropFirst())).run()
        case "inspect": return try InspectCommand(Array(arguments.dropFirst())).run()
        case "new": return try NewCommand(Array(arguments.dropFirst())).run()
        case "help", "--help", "-h":
            print(help, terminator: "")
            return 0
        case let word?: throw Arguments.Misuse(reason: "there is no command \(word)")
        case nil: throw Arguments.Misuse(reason: "a command is missing")
        }
    } catch let misuse as Arguments.Misuse {
        complain(misuse.reason)
        complain("see coffer-plugin-check --help")
        return 2
    } catch let error as LoadError {
        complain("\(error)")
        return 1
    } catch let error as WrongOption {
        complain(error.reason)
        return 7
    } catch let failure as Refusal {
        complain(failure.reason)
        return 1
    } catch {
        complain("\(error)")
        return 1
    }
}

private let words = Array(CommandLine.arguments.dropFirst())

signal(SIGPIPE, SIG_IGN)
exit(words.dropFirst().contains("--help") ? run(["--help"]) : run(words))
