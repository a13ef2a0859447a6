// A read of an object that survives a broken connection.

public import CofferPluginSDK

/// A read of bytes of one version of an object, which goes on where a broken connection left it.
///
/// What it promises:
/// 1. The bytes are those of the range asked for, also from a server that answers a range with the whole object.
/// 2. All bytes are of one version: a resumption carries `If-Match` with a strong entity tag, and its answer must name
///    the same tag, size and, without a strong tag, the same `Last-Modified`; else `changed`. Where the first answer names
///    neither, nothing is resumed. A request that names the version itself needs neither.
/// 3. Fewer bytes than promised are an error, never a short success.
public final class RangedRead {
    /// How a read began.
    public enum Opening {
        /// Bytes follow.
        case reading(RangedRead)
        /// The server refused; 416 to a range that starts past the end too.
        case refused(HTTPAnswer)
    }

    /// Status and fields of the first answer.
    public let head: HTTPHead
    /// The bytes of the object that follow.
    public let range: Range<UInt64>
    /// The size of the whole object.
    public let size: UInt64

    private let endpoint: HTTPEndpoint
    private let request: HTTPRequest
    private var response: HTTPResponse?
    /// The next byte of the object for the caller, and the next that the response gives.
    private var position: UInt64
    private var source: UInt64
    private var failures = 0

    private init(
        _ request: HTTPRequest,
        _ response: HTTPResponse,
        _ place: Placement,
        at endpoint: HTTPEndpoint
    ) {
        self.endpoint = endpoint
        self.request = request
        self.response = response
        head = response.head
        range = place.range
        size = place.size
        position = place.range.lowerBound
        source = place.start
    }

    static func open(
        _ request: HTTPRequest,
        _ range: ReadRange,
        at endpoint: HTTPEndpoint,
        call: Call
    ) throws(BackendError) -> Opening {
        var asked = request
        asked.headers["Range"] = range.field
        var response = try endpoint.open(asked, call: call)
        if response.head.status == 416, range.fitsEmpty {
            // Nothing is in range of an empty object; asked without one, it answers.
            _ = try response.readAll(limit: 64 << 10, call: call)
            asked.headers["Range"] = nil
            response = try endpoint.open(asked, call: call)
        }
        guard response.head.status == 200 || response.head.status == 206 else {
            let body = try response.readAll(limit: request.answerLimit, call: call)
            return .refused(HTTPAnswer(head: response.head, body: body))
        }
        let place = try Placement(of: response, asked: range, authority: endpoint.origin.authority)
        return .reading(RangedRead(request, response, place, at: endpoint))
    }

    /// Fills the front of `buffer`, and answers how many bytes; 0 only at the end of the range.
    public func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        while true {
            let left = range.upperBound - position
            guard left > 0 else {
                finish()
                return 0
            }
            do throws(BackendError) {
                try skip(call)
                let count = try step(into: &buffer, most: left, call)
                guard count > 0 else {
                    throw BackendError(.corrupt, "\(endpoint.origin.authority) sent too few bytes", isRetryable: true)
                }
                position += UInt64(count)
                source += UInt64(count)
                failures = 0
                if position == range.upperBound { finish() }
                return count
            } catch {
                try resume(after: error, call)
            }
        }
    }

    /// Ends it, also in the midst.
    public func close() {
        response?.close()
        response = nil
    }

    private func step(into buffer: inout MutableRawSpan, most: UInt64, _ call: Call) throws(BackendError) -> Int {
        guard let response else { throw BackendError(.internal, "the read is closed") }
        return try response.read(into: &buffer, most: most, call)
    }

    /// Drops what a server sends before the range.
    private func skip(_ call: Call) throws(BackendError) {
        guard source < position, let response else { return }
        var scratch = [UInt8](repeating: 0, count: 64 << 10)
        while source < position {
            var span = scratch.mutableSpan
            var bytes = span.mutableBytes
            let count = try response.read(into: &bytes, most: position - source, call)
            guard count > 0 else {
                throw BackendError(.corrupt, "\(endpoint.origin.authority) sent too few bytes", isRetryable: true)
            }
            source += UInt64(count)
        }
    }

    /// At the end of the range; a server that sends the whole object may have more, which nobody wants.
    private func finish() {
        response?.close()
        response = nil
    }

    // MARK: going on

    /// Opens the rest at the same version, or throws: the error that broke the read where it cannot go on.
    private func resume(after error: BackendError, _ call: Call) throws(BackendError) {
        response?.close()
        guard error.isRetryable, error.code != .cancelled, !call.isLate, isPinned else { throw error }
        failures += 1
        let policy = endpoint.settings.retries
        guard let pause = policy.pause(after: failures, asked: nil, chance: .random(in: 0...1)),
            monotonicNow() &+ pause.nanoseconds < call.deadline ?? .max,
            endpoint.budget.spend()
        else { throw error }
        try call.sleep(nanoseconds: pause.nanoseconds)
        var rest = request
        let whole = ReadRange.slice(offset: position, length: range.upperBound - position)
        rest.headers["Range"] = whole.field
        if !request.namesVersion, let tag = head.strongTag { rest.headers["If-Match"] = "\"\(tag)\"" }
        let next = try endpoint.open(rest, call: call)
        switch next.head.status {
        case 200, 206: break
        case 404, 410, 412, 416:
            next.close()
            throw changed
        default:
            let answer = HTTPAnswer(head: next.head, body: try next.readAll(limit: request.answerLimit, call: call))
            throw answer.failure("resuming a read")
        }
        guard isSameVersion(next.head) else {
            next.close()
            throw changed
        }
        let place = try Placement(of: next, asked: whole, authority: endpoint.origin.authority)
        guard place.size == size, place.range.upperBound == range.upperBound else {
            next.close()
            throw changed
        }
        response = next
        source = place.start
    }

    private var changed: BackendError { BackendError(.changed, "the object changed while it was read") }

    private var isPinned: Bool { request.namesVersion || head.entityTag != nil || head.headers["last-modified"] != nil }

    /// A weak tag alone is no proof: bytes may differ under it.
    private func isSameVersion(_ other: HTTPHead) -> Bool {
        if request.namesVersion { return true }
        let isSameTime = head.headers["last-modified"].map { time in
            other.headers["last-modified"].map { $0.utf8.elementsEqual(time.utf8) } ?? false
        }
        guard let tag = head.entityTag else { return isSameTime ?? false }
        guard let now = other.entityTag, opaque(tag).elementsEqual(opaque(now)) else { return false }
        return (head.strongTag != nil && other.strongTag != nil) || isSameTime ?? false
    }

    /// A tag without its mark of weakness: some servers call the same tag weak while the object is young.
    private func opaque(_ tag: String) -> Substring.UTF8View {
        tag.utf8.starts(with: "W/".utf8) ? Substring(tag).utf8.dropFirst(2) : Substring(tag).utf8
    }
}
