// The command-line client: reads the command, runs it, and exits as the table of failures says.
import Glibc

exit(CommandLineRun.run(Array(CommandLine.arguments.dropFirst())))
