import CofferTestSupport
import Testing

/// One command and exactly what it says; `…` stands for anything within a line.
struct Transcript: Sendable, CustomTestStringConvertible {
    let command: String
    let code: Int32
    let output: String

    init(_ command: String, _ code: Int32 = 0, _ output: String = "") {
        self.command = command
        self.code = code
        self.output = output
    }

    var testDescription: String { command }

    /// Runs the command in a shell in `folder`, with this build's programs and the host's socket.
    func check(in folder: String, socket: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let environment = [
            "COFFER_SOCKET": socket, "PATH": HostProcess.buildFolder + ":/usr/bin:/bin", "LC_ALL": "C.UTF-8",
        ]
        let result = try run(["/bin/sh", "-c", "cd \(folder) && \(command)"], environment: environment, in: folder)
        #expect(result.code == code, "\(command): \(result.output)", sourceLocation: sourceLocation)
        let said = result.output.split(separator: "\n").map(String.init)
        let wanted = output.split(separator: "\n").map(String.init)
        let isSame = said.count == wanted.count && zip(said, wanted).allSatisfy { matches($0, $1) }
        #expect(isSame, "\(command) said:\n\(result.output)\ninstead of:\n\(output)", sourceLocation: sourceLocation)
    }

    private func matches(_ line: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "…", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, let first = parts.first, let last = parts.last else { return line == pattern }
        return line.hasPrefix(first) && line.hasSuffix(last) && line.count >= first.count + last.count
    }
}
