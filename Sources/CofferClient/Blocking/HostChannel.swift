import CofferAPI
import CofferHTTP
import CofferModel
import CofferSystem
import Glibc

/// Exchanges with one host, over connections that are kept; everything blocks the calling thread.
///
/// Invariants:
/// 1. A connection is with one exchange at a time; it comes back only when its answer was read to the end.
/// 2. A request goes out twice only if it may: the connection was an old one, nothing of an answer came,
///    and doing it twice does the same as doing it once.
package final class HostChannel: Sendable {
    /// The socket's path.
    package let path: String
    private let idle = Locked<[ClientConnection]>([])
    private static let idleLimit = 16

    package init(path: String) { self.path = path }

    /// What goes out.
    struct Request {
        var method: String
        var target: String
        var fields: FieldList = []
        /// A body that is known as a whole; nil where there is none or it follows in pieces.
        var body: [UInt8]?
        /// The framing field of a body that follows in pieces.
        var framing: (name: String, value: String)?
        var descriptor: Descriptor?
        /// Whether what was done before cannot be done again, as a container is removed once.
        private let failsTwice: Bool

        init(_ route: Route, fields: FieldList = [], body: [UInt8]? = nil) {
            (method, target) = route.request
            switch route {
            case .removeContainer, .dropStorage: failsTwice = true
            default: failsTwice = false
            }
            self.fields = fields
            self.body = body
        }

        /// Whether doing this twice does the same as doing it once.
        var isRepeatable: Bool {
            switch method {
            case "GET", "HEAD": true
            case "DELETE": !failsTwice && !fields.contains { $0.name == "If-Match" }
            case "PUT": framing == nil && fields.contains { $0.name == Wire.idempotencyKey }
            default: false
            }
        }

        /// The head as bytes.
        ///
        /// - Throws: ``CofferError`` with `invalid_argument` for a value that no field can carry.
        func head() throws(CofferError) -> [UInt8] {
            var bytes = Array("\(method) \(target) HTTP/1.1\r\nHost: coffer\r\n".utf8)
            for field in fields {
                // How long it may be is for the host to say: here it may be percent-encoded.
                try RequestFields.checkFieldValue(field.value, name: field.name, limit: .max)
                bytes.append(contentsOf: "\(field.name): \(field.value)\r\n".utf8)
            }
            if let framing {
                bytes.append(contentsOf: "\(framing.name): \(framing.value)\r\n".utf8)
            } else if let body {
                bytes.append(contentsOf: "Content-Length: \(body.count)\r\n".utf8)
            }
            bytes.append(contentsOf: "\r\n".utf8)
            return bytes
        }
    }

    // MARK: Exchanges

    /// Sends a whole request and gives its answer, of whatever status.
    func exchange(_ request: Request, _ cancel: CancelHandle?) throws(CofferError) -> HostAnswer {
        let head = try request.head()
        var mayRepeat = request.isRepeatable
        while true {
            let (connection, isOld) = try connection(cancel)
            do throws(ClientFailure) {
                try connection.sendHead(head, request.body ?? [], attaching: request.descriptor)
                connection.finishRequest()
                let answer = try connection.receiveHead(method: request.method)
                return HostAnswer(answer, connection, self, cancel)
            } catch {
                cancel?.attach(nil)
                if isOld && mayRepeat && error == .closedBeforeAnswer {
                    mayRepeat = false
                    discardIdle()
                    continue
                }
                throw explained(error, isSafe: request.method == "GET" || request.method == "HEAD")
            }
        }
    }

    /// Sends the head of a request whose body follows in pieces.
    func begin(_ request: Request, _ cancel: CancelHandle?) throws(CofferError) -> ClientConnection {
        let head = try request.head()
        let (connection, _) = try connection(cancel)
        do throws(ClientFailure) {
            try connection.sendHead(head)
        } catch {
            cancel?.attach(nil)
            throw explained(error, isSafe: false)
        }
        return connection
    }

    /// The answer to a request whose body was sent in pieces.
    func finish(
        _ connection: ClientConnection,
        method: String,
        _ cancel: CancelHandle?
    ) throws(CofferError) -> HostAnswer {
        do throws(ClientFailure) {
            let head = try connection.receiveHead(method: method)
            return HostAnswer(head, connection, self, cancel)
        } catch {
            cancel?.attach(nil)
            throw explained(error, isSafe: false)
        }
    }

    // MARK: Connections

    private func connection(_ cancel: CancelHandle?) throws(CofferError) -> (ClientConnection, isOld: Bool) {
        while let connection = idle.withLock({ $0.popLast() }) {
            guard connection.isReusable else { continue }
            cancel?.attach(connection)
            return (connection, true)
        }
        let connection: ClientConnection
        do {
            connection = ClientConnection(try Socket.connect(path: path))
        } catch {
            throw unreachable(error.number)
        }
        cancel?.attach(connection)
        return (connection, false)
    }

    /// Takes a connection back; one that cannot serve again is closed.
    func giveBack(_ connection: ClientConnection) {
        guard connection.isReusable else { return }
        idle.withLock { idle in
            if idle.count < Self.idleLimit { idle.append(connection) }
        }
    }

    /// Closes the connections that wait for a next request.
    package func discardIdle() { idle.withLock { $0.removeAll() } }

    // MARK: Failures

    private func unreachable(_ number: Int32) -> CofferError {
        switch number {
        case ENOENT, ENOTDIR:
            CofferError(
                .unavailable,
                "no host at \(path): there is no such socket; start cofferd, or name its socket with --socket or COFFER_SOCKET"
            )
        case ECONNREFUSED:
            CofferError(.unavailable, "no host at \(path): nobody listens there any more; start cofferd")
        case EACCES, EPERM:
            CofferError(
                .permissionDenied,
                "no access to the socket \(path); its owner or `socket:` in the host's configuration decides who has"
            )
        case ENAMETOOLONG:
            CofferError(.invalidArgument, "the name of the socket is too long: \(path)")
        default:
            CofferError(.unavailable, "no host at \(path): \(errorText(number))")
        }
    }

    /// A failure of the exchange in the words of the house.
    func explained(_ failure: ClientFailure, isSafe: Bool) -> CofferError {
        switch failure {
        case .cancelled:
            CofferError(.cancelled, "cancelled", isMaybeApplied: !isSafe)
        case .closedBeforeAnswer:
            CofferError(
                .unavailable,
                "the host at \(path) closed the connection without an answer",
                isRetryable: isSafe,
                isMaybeApplied: !isSafe
            )
        case .closedInAnswer:
            CofferError(
                .unavailable,
                "the host at \(path) closed the connection in the middle of its answer",
                isRetryable: isSafe,
                isMaybeApplied: !isSafe
            )
        case .malformed(let what):
            CofferError(.internal, "what answers at \(path) does not speak HTTP as a host does: \(what)")
        case .system(let error):
            CofferError(.unavailable, "\(path): \(error)", isRetryable: isSafe, isMaybeApplied: !isSafe)
        }
    }
}
