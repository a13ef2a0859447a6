import CofferAPI
import CofferProfile
import CofferSystem
import Glibc

// The composition root: what was asked, which configuration, which sockets; then signals until the end.

Signals.hold()

do throws(Arguments.Problem) {
    let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
    switch arguments.action {
    case .help: print(Arguments.help, terminator: "")
    case .version: print("cofferd \(Release.version)")
    case .profileReference: print(profileReference(), terminator: "")
    case .checkConfiguration(let all): exit(ConfigurationCommands(arguments).check(all: all))
    case .showConfiguration(let storage): exit(ConfigurationCommands(arguments).show(storage))
    case .serve: exit(Daemon(arguments).run())
    }
} catch {
    Terminal.complain(error.message)
    exit(2)
}
