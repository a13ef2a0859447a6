import CofferAPI
import CofferHTTP
import CofferModel
import CofferSystem

/// An answer whose body may still have to be read; used by one thread at a time.
///
/// The connection goes back when the body was read to its end, and is closed when this goes before.
final class HostAnswer {
    let status: Int
    let headers: HTTPHeaders
    /// What came attached to the head.
    let descriptor: Descriptor?
    private let connection: ClientConnection
    private let channel: HostChannel
    private let cancel: CancelHandle?
    private var isFinished = false

    init(_ head: ResponseHead, _ connection: ClientConnection, _ channel: HostChannel, _ cancel: CancelHandle?) {
        status = head.status
        headers = head.headers
        descriptor = connection.descriptor
        self.connection = connection
        self.channel = channel
        self.cancel = cancel
    }

    deinit { cancel?.attach(nil) }

    /// All fields, as the wire contract reads them.
    var fields: FieldList { headers.map { ($0.name, $0.value) } }

    /// Reads bytes of the body; 0 only at its end.
    func read(into target: UnsafeMutableRawBufferPointer) throws(CofferError) -> Int {
        do throws(ClientFailure) {
            let count = try connection.readBody(into: target)
            if count == 0 && !target.isEmpty { finish() }
            return count
        } catch {
            throw channel.explained(error, isSafe: true)
        }
    }

    /// The whole body, which may have `limit` bytes.
    func readAll(limit: Int = 64 << 20) throws(CofferError) -> [UInt8] {
        var body: [UInt8] = []
        let announced = headers["content-length"].flatMap { Int($0) } ?? 0
        body.reserveCapacity(min(announced, limit))
        var piece = [UInt8](repeating: 0, count: min(max(announced, 4096), 256 << 10))
        while true {
            let outcome = piece.withUnsafeMutableBytes { buffer in
                Result { () throws(CofferError) in try read(into: buffer) }
            }
            let count = try outcome.get()
            if count == 0 { return body }
            guard body.count + count <= limit else {
                throw CofferError(.tooLarge, "the answer has more than \(limit) bytes")
            }
            body.append(contentsOf: piece[..<count])
        }
    }

    /// Throws what the host tells if this is a failure, reading its reason.
    func check() throws(CofferError) {
        guard status >= 300 else { return }
        if status == 304 {
            finish()
            throw CofferError(.notModified, "the object has not changed")
        }
        var error = Problem.decode(try readAll(limit: 1 << 20), status: status)
        if error.retryAfter == nil, let seconds = headers["retry-after"].flatMap({ Int($0) }), seconds < 1 << 30 {
            error.retryAfter = seconds * 1000
        }
        throw error
    }

    /// Gives the connection back; nothing is left to read.
    func finish() {
        guard !isFinished else { return }
        isFinished = true
        cancel?.attach(nil)
        channel.giveBack(connection)
    }
}
