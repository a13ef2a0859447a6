import CofferPluginSDK
import CofferSystem
import CofferTransport
import Testing

/// Signs with a number that grows, and renews once.
private final class CountingSigner: RequestSigner {
    let renewals = Locked(0)

    func sign(_ request: inout HTTPRequest, origin: HTTPOrigin, call: Call) throws(BackendError) {
        request.headers["Authorization"] = "secret-\(renewals.withLock { $0 })"
    }

    func renew(after head: HTTPHead, to request: HTTPRequest, call: Call) throws(BackendError) -> Bool {
        renewals.withLock { $0 += 1 }
        return true
    }
}

private let secrets: HTTPHeaders = [
    "Cookie": "secret", "X-Amz-Date": "secret", "x-amz-security-token": "secret", "X-Auth-Token": "secret",
    "X-Goog-Signature": "secret", "Proxy-Authorization": "secret", "Range": "bytes=1-2", "If-Match": "\"a\"",
]

@Suite struct RedirectTests {
    @Test func anotherHostGetsNoCredentials() throws {
        let far: ScriptedServer.Script = { _, _, peer in peer.answer(200, [], Array("far".utf8)) }
        try ScriptedServer.run(far) { other in
            let script: ScriptedServer.Script = { number, _, peer in
                let location = number == 0 ? "/near" : "http://127.0.0.1:\(other.port)/far?x=1"
                peer.answer(307, ["Location: \(location)"])
            }
            try withEndpoint(script, signer: CountingSigner()) { endpoint, server in
                var request = HTTPRequest("GET", "/x", headers: secrets)
                request.redirects = .follow(limit: 4)
                #expect(endpoint.answer(request)?.body == Array("far".utf8))
                #expect(server.requests[1].line == "GET /near HTTP/1.1")
                #expect(server.requests[1].field("authorization") == "secret-0")
                #expect(server.requests[1].field("x-auth-token") == "secret")
                #expect(other.requests[0].line == "GET /far?x=1 HTTP/1.1")
                #expect(other.requests[0].fields.allSatisfy { !$0.value.contains("secret") })
                #expect(
                    other.requests[0].field("range") == "bytes=1-2" && other.requests[0].field("if-match") == "\"a\""
                )
                request.method = "PUT"
                request.body = [1]
                #expect(endpoint.answer(request)?.status == 307 && other.requests.count == 1)
            }
        }
    }

    @Test func byDefaultTheCallerGetsTheRedirection() throws {
        try withEndpoint({ _, _, peer in peer.answer(307, ["Location: /y"]) }) { endpoint, server in
            let answer = endpoint.answer(HTTPRequest("GET", "/x"))
            #expect(answer?.status == 307 && answer?.head.headers["location"] == "/y" && server.requests.count == 1)
        }
    }

    @Test func aCircleEnds() throws {
        try withEndpoint({ _, _, peer in peer.answer(302, ["Location: ?again"]) }) { endpoint, server in
            var request = HTTPRequest("GET", "/x")
            request.redirects = .follow(limit: 3)
            #expect(failure { _ = try endpoint.send(request, call: patientCall()) }?.code == .io)
            #expect(server.requests.count == 4)
        }
    }

    @Test func credentialsAreRenewedOnce() throws {
        let script: ScriptedServer.Script = { _, request, peer in
            peer.answer(request.field("authorization") == "secret-1" ? 200 : 401)
        }
        let signer = CountingSigner()
        try withEndpoint(script, signer: signer) { endpoint, server in
            #expect(endpoint.answer(HTTPRequest("GET", "/x"))?.status == 200)
            #expect(server.requests.count == 2)
            signer.renewals.withLock { $0 = 7 }
            #expect(endpoint.answer(HTTPRequest("GET", "/x"))?.status == 401)
            #expect(server.requests.count == 4)
        }
    }

    @Test func anUnsignedRequestCarriesNothing() throws {
        try withEndpoint({ _, _, peer in peer.answer(401) }, signer: CountingSigner()) { endpoint, server in
            var request = HTTPRequest("GET", "/x")
            request.isSigned = false
            #expect(endpoint.answer(request)?.status == 401)
            #expect(server.requests.count == 1 && server.requests[0].field("authorization") == nil)
        }
    }

    @Test func aPlainProxyGetsTheWholeURL() throws {
        try ScriptedServer.run({ _, _, peer in peer.answer(200) }) { proxy in
            var settings = HTTPSettings.impatient
            settings.proxy = "http://user:pass@127.0.0.1:\(proxy.port)"
            let origin = HTTPOrigin(isSecure: false, host: "storage.invalid", port: 8080)
            let endpoint = HTTPEndpoint(origin, settings: settings)
            #expect(endpoint.answer(HTTPRequest("GET", "/a%20b?c"))?.status == 200)
            #expect(proxy.requests[0].line == "GET http://storage.invalid:8080/a%20b?c HTTP/1.1")
            #expect(proxy.requests[0].field("host") == "storage.invalid:8080")
            #expect(proxy.requests[0].field("proxy-authorization") == "Basic dXNlcjpwYXNz")
        }
    }
}
