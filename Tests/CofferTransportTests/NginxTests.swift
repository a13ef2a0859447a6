import CofferPluginSDK
import CofferTestSupport
import CofferTransport
import Glibc
import Testing

/// What the script that starts nginx says of it.
struct Nginx {
    let facts: [String: String]

    /// Runs `body` with an nginx in a fresh folder.
    static func run<R>(_ body: (Nginx) throws -> R) throws -> R {
        let scripts = "\(sourceFolder)/../Servers/nginx"
        return try withTemporaryDirectory { folder in
            let started = try CofferTestSupport.run(["\(scripts)/start", "\(folder)/nginx"], in: folder)
            try #require(started.code == 0, "\(started.output)")
            defer { _ = try? CofferTestSupport.run(["\(scripts)/stop", "\(folder)/nginx"], in: folder) }
            var facts: [String: String] = [:]
            for line in started.output.split(separator: "\n") {
                let pair = line.split(separator: "=", maxSplits: 1).map(String.init)
                if pair.count == 2 { facts[pair[0]] = pair[1] }
            }
            return try body(Nginx(facts: facts))
        }
    }

    private static var sourceFolder: Substring {
        #filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)
    }

    func origin(_ name: String) throws -> HTTPOrigin { try HTTPLocation(parsing: facts[name] ?? "").origin }
}

@Suite struct NginxTests {
    @Test func objectsGoUpAndComeBack() throws {
        try Nginx.run { nginx in
            let endpoint = HTTPEndpoint(try nginx.origin("NGINX_URL"), settings: .patient)
            defer { endpoint.close() }
            for size in [0, 1, 65_537, 3_000_000] {
                let bytes = pattern(size)
                #expect(endpoint.answer(HTTPRequest("PUT", "/whole", body: bytes))?.head.isSuccess == true)
                let upload = try endpoint.beginUpload(HTTPRequest("PUT", "/pushed"), length: nil, call: patientCall())
                try upload.append(bytes.span.bytes, call: patientCall())
                #expect(try upload.finish(call: patientCall()).head.isSuccess)
                for name in ["/whole", "/pushed"] {
                    guard
                        case .reading(let read) = try endpoint.read(
                            HTTPRequest("GET", name),
                            .all,
                            call: patientCall()
                        )
                    else { return #expect(Bool(false)) }
                    let all = try drain(read, piece: 100_000)
                    #expect(all == bytes && read.head.strongTag != nil)
                }
            }
            #expect(endpoint.answer(HTTPRequest("DELETE", "/whole"))?.status == 204)
            #expect(endpoint.answer(HTTPRequest("GET", "/whole"))?.status == 404)
        }
    }

    @Test func aCertificateIsTrustedOnlyIfItIsTold() throws {
        try Nginx.run { nginx in
            // Whatever the environment trusts, it is not this.
            let origin = try nginx.origin("NGINX_TLS_URL")
            var settings = HTTPSettings.patient
            let strict = HTTPEndpoint(origin, settings: settings)
            let error = failure { _ = try strict.send(HTTPRequest("GET", "/"), call: patientCall()) }
            #expect(error?.code == .unavailable && error?.isRetryable == false)
            #expect(error?.message.contains("is not trusted") == true, "\(String(describing: error))")
            settings.caFile = nginx.facts["NGINX_CA"]
            let trusting = HTTPEndpoint(origin, settings: settings)
            #expect(trusting.answer(HTTPRequest("PUT", "/x", body: pattern(2_000_000)))?.status == 201)
            #expect(trusting.answer(HTTPRequest("GET", "/x"))?.body == pattern(2_000_000))
            let other = HTTPOrigin(isSecure: true, host: "localhost", port: origin.port)
            let wrong = failure {
                _ = try HTTPEndpoint(other, settings: settings).send(HTTPRequest("GET", "/"), call: patientCall())
            }
            #expect(wrong?.message.contains("is not trusted") == true)
        }
    }
}
