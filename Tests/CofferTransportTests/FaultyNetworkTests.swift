import CofferPluginSDK
import CofferSystem
import CofferTestSupport
import CofferTransport
import Glibc
import Testing

@Suite struct FaultyNetworkTests {
    /// Runs `body` with the port of a faulty proxy before a server.
    private func withFaultyProxy<R>(to port: UInt16, plan: String, seed: Int, _ body: (UInt16) throws -> R) throws -> R
    {
        let path =
            "\(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex))/../Servers/faulty-proxy"
        return try withTemporaryDirectory { folder in
            let words = [path, "--target", "127.0.0.1:\(port)", "--seed", "\(seed)", "--plan", plan, "--rate", "0.3"]
            let environment = ["PATH": getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"]
            let process = try spawn(words, environment: environment, output: "\(folder)/said")
            defer {
                kill(process, SIGKILL)
                waitpid(process, nil, 0)
            }
            var said: UInt16?
            _ = eventually {
                let text = readWholeFile("\(folder)/said") ?? ""
                said = text.utf8.contains(0x0A) ? UInt16(text.prefix { $0 != "\n" }) : nil
                return said != nil
            }
            return try body(try #require(said))
        }
    }

    @Test(arguments: 1...3)
    func nothingAcknowledgedIsLostAndNoByteIsWrong(seed: Int) throws {
        let plan =
            "latency=5,slow,reset@0%,reset@10%,reset@50%,reset@99%,reset-up@50%,lost,truncate,stall=0.1,"
            + "burst503=2,duplicate,garbage"
        try Nginx.run { nginx in
            try withFaultyProxy(to: try nginx.origin("NGINX_URL").port, plan: plan, seed: seed) { port in
                var settings = HTTPSettings.patient
                settings.retries.attempts = 12
                settings.retries.budget = 10
                let endpoint = HTTPEndpoint(
                    HTTPOrigin(isSecure: false, host: "127.0.0.1", port: port),
                    settings: settings
                )
                defer { endpoint.close() }
                for turn in 0..<30 {
                    let bytes = Array(pattern(turn * 3001).dropFirst(turn))
                    let start = monotonic()
                    let error = failure {
                        let answer = try endpoint.send(HTTPRequest("PUT", "/\(turn)", body: bytes), call: patientCall())
                        #expect(answer.head.isSuccess)
                    }
                    // Bytes that are no HTTP are nobody's fault but the server's, and not asked for again.
                    #expect(error == nil || error?.code == .io, "\(String(describing: error))")
                    guard error == nil else { continue }
                    let readError = failure {
                        let opening = try endpoint.read(HTTPRequest("GET", "/\(turn)"), .from(0), call: patientCall())
                        guard case .reading(let read) = opening else { return #expect(Bool(false)) }
                        let all = try drain(read, piece: 5000)
                        #expect(all == bytes)
                    }
                    #expect(readError == nil || readError?.code == .io, "\(String(describing: readError))")
                    #expect(monotonic() - start < 41_000_000_000)
                }
            }
        }
    }
}
