import CofferSystem
import Synchronization

/// One client's connection and what it is in the middle of.
///
/// It has one owner at a time: the worker that serves it, or the place where it is parked (epoll, a lane's queue). Handing it
/// over is the last thing an owner does with it.
///
/// Unchecked because all but the atomics belong to the owner; `cancellation` is replaced under the registry's lock.
final class Connection: @unchecked Sendable {
    let socket: Descriptor
    let peer: PeerCredentials?
    /// Its place in the registry.
    var place = -1

    var phase = Phase.head
    var parser: RequestHeadParser
    /// Bytes that came and are not used yet, while it is parked.
    var leftover: [UInt8] = []
    /// A descriptor that came and whose head may still come.
    var attached: Descriptor?
    /// When the head that is coming must be complete.
    var headDeadline: MonotonicTime?
    var exchange = Exchange()
    var patience = Patience()
    /// A large file made its socket non-blocking and its buffer large, and it stays so.
    var isTuned = false
    /// Stands for the request being handled; made anew when a handler kept it.
    var cancellation = Cancellation()

    /// When its patience with the client ends, in monotonic nanoseconds; `max` while a worker owns it.
    let deadline = Atomic<Int64>(.max)
    let isExpired = Atomic<Bool>(false)
    /// Nothing of a request has come: it may be closed at any time.
    let isIdle = Atomic<Bool>(true)
    /// What it is parked for, if it is: to write rather than to read.
    let isWriting = Atomic<Bool>(false)
    /// Odd while a request is being handled, and another odd number each time.
    let calls = Atomic<UInt32>(0)
    /// What the supervisor saw of ``calls`` last time; only the supervisor touches it.
    var callsSeen: UInt32 = 0

    /// What is being done.
    enum Phase {
        /// Reads a head, or waits for one.
        case head
        /// The head is here; a place in the lane is not.
        case waiting(RequestHead)
        case receiving(any HTTPBodyReceiver)
        case sending(Transmission)
        /// The answer is sent; the rest of the body is thrown away.
        case discarding(left: Int)
        /// The answer is sent and no other comes; the client may still be sending.
        case parting(left: Int)
    }

    init(_ socket: Descriptor, parser: RequestHeadParser) {
        self.socket = socket
        self.parser = parser
        peer = PeerCredentials(of: socket.number)
    }
}

/// What must be known of a request until its answer is sent.
struct Exchange {
    var isHead = false
    var isOld = false
    var keepsAlive = true
    /// `100 Continue` is asked for and not sent.
    var owesContinue = false
    var body = BodyDecoder(.none)
    var lane: Lane?
    /// Whether a place in the lane is held now.
    var holdsPlace = false

    init() {}

    init(_ head: RequestHead) {
        isHead = head.request.method == "HEAD"
        isOld = head.isOld
        keepsAlive = head.keepsAlive
        owesContinue = head.expectsContinue
        body = BodyDecoder(head.request.body)
    }
}

/// An answer that is partly sent.
struct Transmission {
    /// Bytes that are ready to go, of which `sent` went.
    var ready: [UInt8] = []
    var sent = 0
    /// Goes with the first byte.
    var attached: Descriptor?
    var rest = Rest.none

    /// What comes after the bytes that are ready.
    enum Rest {
        case none
        case bytes([UInt8])
        case file(Descriptor, offset: Int64, left: Int64)
        case stream(any HTTPBodySource, left: Int64?, isChunked: Bool)
    }

    /// Gives the source up, if there is one.
    func abandon() {
        if case .stream(let source, _, _) = rest { source.close() }
    }
}

/// How long a thread will wait for a client inside a body.
///
/// Waiting uses it up and bytes that move restore it, so that a client that sends a byte just in time holds no thread.
struct Patience {
    static let milliseconds: Int32 = 50
    private static let worth = 64 << 10
    private var left = Patience.milliseconds
    private var moved = 0

    /// Whether the client has been too slow, and not fast since.
    var isSpent: Bool { left <= 0 }

    mutating func note(moved count: Int) {
        moved += count
        guard moved >= Self.worth else { return }
        moved = 0
        left = Self.milliseconds
    }

    /// Waits for the client; false means that the transfer should be parked.
    mutating func wait(_ socket: Int32, _ interest: Epoll.Interest) -> Bool {
        guard left > 0 else { return false }
        let start = MonotonicTime.now
        let state = Socket.poll(socket, interest, milliseconds: left)
        left -= Int32(clamping: max(1, (MonotonicTime.now.nanoseconds - start.nanoseconds) / 1_000_000))
        return !state.isEmpty
    }
}
