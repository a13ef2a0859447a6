// Bytes to and from the server, in clear or by TLS.

import CofferPluginSDK
import CofferTLS
import Glibc

/// One connection: control or data.
final class Channel {
    /// The socket underneath.
    let socket: Socket
    private var tls: TLSStream?

    /// A connection in clear.
    init(_ socket: Socket) { self.socket = socket }

    /// Whether it is encrypted.
    var isEncrypted: Bool { tls != nil }
    /// The version of TLS, or nil in clear.
    var version: String? { tls?.version }
    /// What another connection to the same server may resume, if the server offered it here.
    var session: TLSSession? { tls?.session }

    /// Encrypts it from here on; the peer must prove to be `name`.
    func encrypt(
        _ context: TLSContext,
        name: String,
        resuming session: TLSSession?,
        _ patience: Patience
    ) throws(Fault) {
        do throws(TLSError) {
            tls = try TLSStream(context, descriptor: socket.number, name: name, resuming: session)
        } catch {
            throw Self.fault(error)
        }
        _ = try step(patience, "the TLS handshake") { stream throws(TLSError) in try stream.handshake() }
    }

    /// Fills the front of `buffer`; 0 is the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, _ patience: Patience) throws(Fault) -> Int {
        if tls != nil {
            return try step(patience, "reading") { stream throws(TLSError) in try stream.read(into: buffer) }
        }
        while true {
            let count = recv(socket.number, buffer.baseAddress, buffer.count, 0)
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: try patience.wait(for: socket.number, toWrite: false, "reading")
            default: throw .lost(errno, "reading")
            }
        }
    }

    /// Sends all of `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer, _ patience: Patience) throws(Fault) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try writeSome(rest, patience)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private func writeSome(_ bytes: UnsafeRawBufferPointer, _ patience: Patience) throws(Fault) -> Int {
        if tls != nil {
            return try step(patience, "writing") { stream throws(TLSError) in try stream.write(bytes) }
        }
        while true {
            let count = send(socket.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: try patience.wait(for: socket.number, toWrite: true, "writing")
            default: throw .lost(errno, "writing")
            }
        }
    }

    /// Says that no more comes from here.
    func finish(_ patience: Patience) throws(Fault) {
        if tls != nil {
            _ = try step(patience, "closing") { stream throws(TLSError) in try stream.finish() }
        }
        // A peer that closed already has told us otherwise.
        _ = shutdown(socket.number, Int32(SHUT_WR))
    }

    /// Goes on until a step is done: its number, or 0 at the end.
    private func step(
        _ patience: Patience,
        _ what: String,
        _ body: (TLSStream) throws(TLSError) -> TLSStream.Step
    ) throws(Fault) -> Int {
        guard let tls else { return 0 }
        while true {
            let result: TLSStream.Step
            do throws(TLSError) { result = try body(tls) } catch { throw Self.fault(error) }
            switch result {
            case .done(let count): return count
            case .end: return 0
            case .wantsRead: try patience.wait(for: socket.number, toWrite: false, what)
            case .wantsWrite: try patience.wait(for: socket.number, toWrite: true, what)
            }
        }
    }

    private static func fault(_ error: TLSError) -> Fault {
        switch error {
        case .failed(let reason): .lost("TLS: \(reason)")
        case .untrusted(let reason):
            .failed(BackendError(.unavailable, "the server's certificate is not trusted: \(reason)"))
        case .unusable(let reason): .failed(BackendError(.config, "TLS: \(reason)"))
        }
    }
}
