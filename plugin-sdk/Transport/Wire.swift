// One handle of libcurl with its connection.

import CCurl
import CofferPluginSDK
import Glibc

/// One handle of libcurl with its connection; one thread at a time has it and drives it.
// Unchecked because the pool hands it to one exchange at a time.
final class Wire: @unchecked Sendable {
    /// The C side; its fields are the state of the present exchange.
    let state: UnsafeMutablePointer<coffer_wire>
    /// When it was last used, for the pool.
    var lastUsed: UInt64 = 0
    private var origin: HTTPOrigin?
    private var isProxied = false
    private var uploadBuffer: Int64 = 0

    init(_ settings: HTTPSettings, share: UnsafeMutableRawPointer?) throws(BackendError) {
        guard let state = coffer_wire_make(share) else {
            throw BackendError(.internal, "no memory for a connection", isRetryable: true)
        }
        self.state = state
        state.pointee.head_limit = settings.headLimit
        try Self.configure(state, settings)
    }

    deinit { coffer_wire_free(state) }

    private static func configure(
        _ state: UnsafeMutablePointer<coffer_wire>,
        _ settings: HTTPSettings
    ) throws(BackendError) {
        var codes = [
            coffer_wire_set_number(
                state,
                COFFER_WIRE_CONNECT_MS,
                Int64(settings.connectTimeout.nanoseconds / 1_000_000)
            ),
            coffer_wire_set_number(state, COFFER_WIRE_IDLE_S, Int64(settings.idleTimeout.nanoseconds / 1_000_000_000)),
            coffer_wire_set_number(state, COFFER_WIRE_VERIFY, settings.verifiesTLS ? 1 : 0),
        ]
        if let proxy = settings.proxy { codes.append(coffer_wire_set_text(state, COFFER_WIRE_PROXY, proxy)) }
        if let file = settings.caFile { codes.append(coffer_wire_set_text(state, COFFER_WIRE_CA_FILE, file)) }
        if let client = settings.clientCertificate {
            codes.append(coffer_wire_set_text(state, COFFER_WIRE_CERTIFICATE, client.certificate))
            codes.append(coffer_wire_set_text(state, COFFER_WIRE_KEY, client.key))
        }
        codes.append(Int32(coffer_wire_common_field(state, "Accept:")))
        codes.append(Int32(coffer_wire_common_field(state, settings.agentLine)))
        guard codes.allSatisfy({ $0 == 0 }) else {
            throw BackendError(.config, "libcurl refuses the TLS or proxy settings")
        }
    }

    /// Sets up a request whose fields were checked, and starts it; the bytes must outlive the exchange.
    func begin(_ request: HTTPRequest, origin: HTTPOrigin, body: Body, settings: HTTPSettings) throws(BackendError) {
        // A proxy for plain HTTP wants the whole URL, and libcurl builds it only from its own.
        if self.origin != origin {
            _ = coffer_wire_set_text(state, COFFER_WIRE_URL, "\(origin)/")
            self.origin = origin
            isProxied = settings.sendsThroughProxy(to: origin)
        }
        let target = isProxied ? "\(origin)\(request.target)" : request.target
        var codes = [
            coffer_wire_set_text(state, COFFER_WIRE_TARGET, target),
            coffer_wire_set_text(state, COFFER_WIRE_METHOD, request.method),
        ]
        codes.append(addFields(of: request, body: body, settings: settings))
        switch body {
        case .none where request.method == "HEAD":
            codes.append(coffer_wire_begin(state, COFFER_BODY_HEAD, nil, 0))
        case .none:
            codes.append(coffer_wire_begin(state, COFFER_BODY_NONE, nil, 0))
        case .bytes(let bytes):
            codes.append(coffer_wire_begin(state, COFFER_BODY_BYTES, bytes.baseAddress, Int64(bytes.count)))
        case .pushed(let length):
            let size: Int64 = (length ?? .max) > 256 << 10 ? 2 << 20 : 64 << 10
            if size != uploadBuffer {
                codes.append(coffer_wire_set_number(state, COFFER_WIRE_UPLOAD_BUFFER, size))
                uploadBuffer = size
            }
            codes.append(coffer_wire_begin(state, COFFER_BODY_PUSHED, nil, length.map(Int64.init(clamping:)) ?? -1))
        }
        guard codes.allSatisfy({ $0 == 0 }) else {
            throw BackendError(.internal, "libcurl refuses the request \(request.method) to \(origin)")
        }
    }

    /// What a request carries.
    enum Body {
        case none
        case bytes(UnsafeRawBufferPointer)
        case pushed(length: UInt64?)
    }

    /// libcurl adds fields of its own unless a line without a value forbids them.
    private func addFields(of request: HTTPRequest, body: Body, settings: HTTPSettings) -> Int32 {
        var line: [CChar] = []
        var failed: Int32 = 0
        var (hasAccept, hasAgent, hasType, hasEncoding) = (false, false, false, false)
        for field in request.headers {
            switch field.name.utf8.count {
            case 6 where field.isCalled("accept"): hasAccept = true
            case 6 where field.isCalled("expect"): continue
            case 10 where field.isCalled("user-agent"): hasAgent = true
            case 12 where field.isCalled("content-type"): hasType = true
            case 14 where field.isCalled("content-length"): continue
            case 17 where field.isCalled("transfer-encoding"): hasEncoding = true
            default: break
            }
            line.removeAll(keepingCapacity: true)
            for byte in field.name.utf8 { line.append(CChar(bitPattern: byte)) }
            // Without a value libcurl wants a semicolon, else it takes the line for a word to leave the field out.
            line.append(CChar(bitPattern: UInt8(ascii: field.value.isEmpty ? ";" : ":")))
            if !field.value.isEmpty { line.append(0x20) }
            for byte in field.value.utf8 { line.append(CChar(bitPattern: byte)) }
            line.append(0)
            failed |= Int32(coffer_wire_field(state, line))
        }
        if !hasAccept && !hasAgent {
            coffer_wire_use_common(state)
        } else {
            if !hasAccept { failed |= Int32(coffer_wire_field(state, "Accept:")) }
            if !hasAgent { failed |= Int32(coffer_wire_field(state, settings.agentLine)) }
        }
        switch body {
        case .none: break
        case .bytes, .pushed:
            if case .bytes = body, !hasType { failed |= Int32(coffer_wire_field(state, "Content-Type:")) }
            failed |= Int32(coffer_wire_field(state, request.expectsContinue ? "Expect: 100-continue" : "Expect:"))
            if case .pushed(nil) = body, !hasEncoding {
                failed |= Int32(coffer_wire_field(state, "Transfer-Encoding: chunked"))
            }
        }
        return failed
    }
}
