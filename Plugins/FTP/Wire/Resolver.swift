// Finding the addresses of a host, which may take longer than anybody waits.

import CofferPluginSDK
import Glibc

/// Looks a host up, on a thread of its own where a name server has to be asked.
///
/// 1. An address in digits is read at once.
/// 2. What was found is kept for a minute.
/// 3. A look-up that nobody waits for any more ends by itself: it holds nothing of an instance.
final class Resolver: Sendable {
    private struct Answer {
        var addresses: [Address] = []
        var failure: String?
        var isThere = false
    }

    private let host: String
    private let port: UInt16
    private let known = Guarded<(addresses: [Address], until: UInt64)>(([], 0))

    /// A resolver of one host and port.
    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// The addresses, in the order in which to try them; at least one.
    func addresses(_ patience: Patience) throws(Fault) -> [Address] {
        let kept = known.withLock { monotonicNow() < $0.until ? $0.addresses : [] }
        if !kept.isEmpty { return kept }
        var answer = Self.look(host, port, AI_NUMERICHOST)
        if answer.addresses.isEmpty { answer = try ask(patience) }
        guard !answer.addresses.isEmpty else {
            let why = answer.failure ?? "no address"
            throw .failed(BackendError(.unavailable, "cannot find the host \(host): \(why)", isRetryable: true))
        }
        let found = answer.addresses
        known.withLock { $0 = (found, monotonicNow() + 60_000_000_000) }
        return found
    }

    private final class Question: Sendable {
        let host: String
        let port: UInt16
        let answer = Guarded(Answer())

        init(_ host: String, _ port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    private func ask(_ patience: Patience) throws(Fault) -> Answer {
        let question = Question(host, port)
        let box = Unmanaged.passRetained(question)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let result = withSignalsBlocked {
            var thread = pthread_t()
            return pthread_create(
                &thread,
                &attributes,
                { context in
                    guard let context else { return nil }
                    let question = Unmanaged<Question>.fromOpaque(context).takeRetainedValue()
                    let found = Resolver.look(question.host, question.port, 0)
                    question.answer.withLock {
                        $0 = found
                        $0.isThere = true
                    }
                    question.answer.wake()
                    return nil
                },
                box.toOpaque()
            )
        }
        guard result == 0 else {
            box.release()
            throw .failed(BackendError(.unavailable, "no thread to look up \(host)", isRetryable: true))
        }
        while true {
            if let answer = question.answer.turn({ $0.isThere ? $0 : nil }) { return answer }
            try patience.check()
        }
    }

    private static func look(_ host: String, _ port: UInt16, _ flags: Int32) -> Answer {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, nil, &hints, &list)
        var answer = Answer()
        guard result == 0 else {
            answer.failure = String(cString: gai_strerror(result)).lowercased()
            return answer
        }
        defer { freeaddrinfo(list) }
        var next = list
        while let item = next {
            if var address = Address(item.pointee.ai_addr, item.pointee.ai_addrlen) {
                address.port = port
                answer.addresses.append(address)
            }
            next = item.pointee.ai_next
        }
        return answer
    }
}

/// Runs `body` with every signal blocked: signals are the host's, and none may choose a thread that is made inside.
func withSignalsBlocked<R>(_ body: () -> R) -> R {
    var everything = sigset_t()
    var before = sigset_t()
    sigfillset(&everything)
    pthread_sigmask(SIG_SETMASK, &everything, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    return body()
}
