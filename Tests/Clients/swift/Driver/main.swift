// Does the steps of scenarios with the Swift client, as any program would that depends on its package: one step as JSON on
// a line of its input, one answer as JSON on a line of its output: see Tests/Clients/driven.py.

import CofferClient
import CofferJSON
import Glibc

func fail(_ reason: String) -> Never {
    let line = "driver: \(reason)\n"
    // It is all that can still be said.
    _ = write(2, line, line.utf8.count)
    exit(2)
}

guard CommandLine.arguments.count == 2 else { fail("usage: driver SOCKET") }
let client = CofferClient(socket: CommandLine.arguments[1])
while let line = readLine() {
    do {
        let step = try Step(line)
        let answer: JSONValue
        do {
            let result = try await Verbs(client, step).call(step.required("call"))
            try step.checkAllAsked()
            answer = document(["result": result])
        } catch let error as CofferError {
            try step.checkAllAsked()
            answer = document(["error": document(error)])
        } catch let error as Unsayable {
            answer = document(["unsayable": .string(error.reason)])
        }
        print(String(decoding: answer.bytes(), as: UTF8.self))
        fflush(nil)
    } catch {
        fail("\(error) in \(line)")
    }
}
