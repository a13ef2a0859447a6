// Endpoints for tests: impatient, so that what stalls is seen soon.

import CofferPluginSDK
import CofferTransport

extension HTTPSettings {
    /// Short times, no environment.
    static var impatient: HTTPSettings {
        var settings = HTTPSettings()
        settings.proxy = ""
        settings.connectTimeout = .seconds(2)
        settings.answerTimeout = .seconds(1)
        settings.stallTimeout = .seconds(1)
        settings.retries.firstPause = .milliseconds(2)
        settings.retries.longestPause = .milliseconds(10)
        return settings
    }

    /// For answers that take their time on a busy machine.
    static var patient: HTTPSettings {
        var settings = HTTPSettings.impatient
        settings.answerTimeout = .seconds(30)
        settings.stallTimeout = .seconds(30)
        return settings
    }
}

/// Runs `body` with an endpoint on a scripted server.
func withEndpoint<R>(
    _ script: @escaping ScriptedServer.Script,
    settings: HTTPSettings = .impatient,
    signer: (any RequestSigner)? = nil,
    _ body: (HTTPEndpoint, ScriptedServer) throws -> R
) throws -> R {
    try ScriptedServer.run(script) { server in
        let origin = HTTPOrigin(isSecure: false, host: "127.0.0.1", port: server.port)
        let endpoint = HTTPEndpoint(origin, settings: settings, signer: signer)
        defer { endpoint.close() }
        return try body(endpoint, server)
    }
}

/// A call that nothing cancels, with twenty seconds.
func patientCall(seconds: UInt64 = 20) -> Call { Call(deadline: monotonic() + seconds * 1_000_000_000) }

extension HTTPEndpoint {
    /// The answer to a request; nil if it throws.
    func answer(_ request: HTTPRequest) -> HTTPAnswer? { try? send(request, call: patientCall()) }
}

/// The error that `body` throws; nil if it throws none.
func failure(_ body: () throws -> Void) -> BackendError? {
    do {
        try body()
        return nil
    } catch {
        return error as? BackendError
    }
}

/// All bytes of a read.
func drain(_ read: RangedRead, piece: Int = 1000) throws -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: piece)
    while true {
        var span = buffer.mutableSpan
        var bytes = span.mutableBytes
        let count = try read.read(into: &bytes, call: patientCall())
        if count == 0 { return all }
        all += buffer[..<count]
    }
}
