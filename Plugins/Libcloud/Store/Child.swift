// One Python process with one driver of Libcloud, which answers one question at a time.

import CLibcloud
import CofferJSON
import CofferPluginSDK
import Glibc

/// One Python process with one driver of Libcloud.
///
/// 1. One call at a time talks to it; nobody else touches it meanwhile.
/// 2. Whatever goes wrong between asking and the last frame of the answer makes it unfit: it is dropped, never reused.
/// 3. Dropping kills its process group and reaps it. It ends by itself, too, when the plugin's end of the socket closes.
final class Child {
    let process: pid_t
    private let channel: Int32
    private let complaints: Complaints
    /// What is left of the frame that is being read.
    private var body = 0
    private var isReaped = false
    /// Whether it ended while it was needed.
    private(set) var hasEnded = false
    /// Whether the answer to a question is on its way.
    private(set) var isBusy = false

    /// Takes over a process that was started.
    init(process: pid_t, channel: Int32, complaints: Complaints) {
        self.process = process
        self.channel = channel
        self.complaints = complaints
    }

    deinit { end() }

    /// Kills and reaps the process.
    func end() {
        guard !isReaped else { return }
        isReaped = true
        kill(-process, SIGKILL)
        kill(process, SIGKILL)
        var status: Int32 = 0
        // ECHILD where the host ignores its children: then the kernel has reaped it.
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        complaints.drain()
        close(channel)
    }

    /// Whether the process still listens.
    var isAlive: Bool {
        var waiting = pollfd(fd: channel, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) == 0
    }

    // MARK: Asking

    /// Sends a question, and a descriptor with it.
    func ask(_ question: Question, descriptor: Int32 = -1, call: Call) throws(BackendError) {
        isBusy = true
        try send(question.frame, descriptor: descriptor, doing: question.doing, call: call)
    }

    /// Sends bytes that are no question: the program, to begin with.
    func send(_ bytes: [UInt8], descriptor: Int32 = -1, doing: String, call: Call) throws(BackendError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                coffer_child_send(
                    channel,
                    all.baseAddress.map { $0 + sent },
                    all.count - sent,
                    sent == 0 ? descriptor : -1
                )
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                try wait(for: Int16(POLLOUT), silence: nil, doing: doing, call: call)
            } else if errno != EINTR {
                throw ended(doing)
            }
        }
    }

    // MARK: Answers

    /// The next frame that has a head; throws the error that it tells.
    ///
    /// `silence` is how long it may take to come, in nanoseconds; nil is as long as the call may.
    func answer(to doing: String, silence: UInt64?, call: Call) throws(BackendError) -> Answer {
        let lengths = try nextLengths(doing, silence: silence, call: call)
        guard lengths.head > 0 else { throw disorder(doing) }
        var bytes = [UInt8](repeating: 0, count: lengths.head)
        try fill(&bytes, doing, silence: silence, call: call)
        let parsed = try? JSONValue(parsing: bytes)
        // What is no JSON is as wrong as what is no object.
        guard let head = parsed?.objectValue else { throw disorder(doing) }
        let answer = Answer(head)
        if answer.isLast { isBusy = false }
        try answer.check()
        return answer
    }

    /// Reads bytes of an object into `buffer`; 0 once the last frame of the answer has come.
    func piece(
        into buffer: inout MutableRawSpan,
        _ doing: String,
        silence: UInt64,
        call: Call
    ) throws(BackendError) -> Int {
        guard isBusy, buffer.byteCount > 0 else { return 0 }
        if body == 0 {
            let lengths = try nextLengths(doing, silence: silence, call: call)
            guard lengths.head == 0 else {
                var bytes = [UInt8](repeating: 0, count: lengths.head)
                try fill(&bytes, doing, silence: silence, call: call)
                let parsed = try? JSONValue(parsing: bytes)
                // As above.
                guard let head = parsed?.objectValue, Answer(head).isLast else { throw disorder(doing) }
                isBusy = false
                try Answer(head).check()
                return 0
            }
            body = lengths.body
        }
        let wanted = min(body, buffer.byteCount)
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(channel, $0.baseAddress, wanted, 0) }
            if count > 0 {
                body -= count
                return count
            }
            try check(count, doing, silence: silence, call: call)
        }
    }

    /// Asks it to send no more, and reads what is on its way; answers whether it is fit for another question.
    func stop() -> Bool {
        guard isBusy else { return true }
        let call = Call(deadline: monotonicNow() + 250_000_000)
        do {
            try send(Question("stop", "stopping").frame, doing: "stopping", call: call)
            try withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room throws(BackendError) in
                var span = MutableRawSpan(_unsafeBytes: room)
                while try piece(into: &span, "stopping", silence: 250_000_000, call: call) > 0 {}
            }
        } catch {
            // An error in the answer is one to nobody; without an end of the answer it is unfit.
            return !isBusy
        }
        return !isBusy
    }

    private func nextLengths(_ doing: String, silence: UInt64?, call: Call) throws(BackendError) -> FrameLengths {
        var bytes = [UInt8](repeating: 0, count: FrameLengths.size)
        try fill(&bytes, doing, silence: silence, call: call)
        guard let lengths = FrameLengths(bytes) else { throw disorder(doing) }
        return lengths
    }

    private func fill(_ bytes: inout [UInt8], _ doing: String, silence: UInt64?, call: Call) throws(BackendError) {
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { all in
                recv(channel, all.baseAddress.map { $0 + filled }, all.count - filled, 0)
            }
            if count > 0 { filled += count } else { try check(count, doing, silence: silence, call: call) }
        }
    }

    private func check(_ count: Int, _ doing: String, silence: UInt64?, call: Call) throws(BackendError) {
        guard count < 0 else { throw ended(doing) }
        if errno == EAGAIN {
            try wait(for: Int16(POLLIN), silence: silence, doing: doing, call: call)
        } else if errno != EINTR {
            throw ended(doing)
        }
    }

    /// Waits for the socket, and hears complaints meanwhile.
    private func wait(for events: Int16, silence: UInt64?, doing: String, call: Call) throws(BackendError) {
        let end = silence.map { monotonicNow() + $0 } ?? .max
        var hears = true
        while true {
            try call.check()
            let now = monotonicNow()
            guard now < end else {
                throw BackendError(.timeout, "\(doing): the provider is silent", isRetryable: true)
            }
            let cancellation = call.cancellationDescriptor
            var waiting = [
                pollfd(fd: channel, events: events, revents: 0),
                pollfd(fd: hears ? complaints.descriptor : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: cancellation ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            // Without a descriptor a cancellation is seen by asking again.
            let left = min(end, call.deadline ?? .max) - min(now, call.deadline ?? .max)
            let slice = min(left / 1_000_000 + 1, cancellation == nil ? 20 : 3_600_000)
            if poll(&waiting, 3, Int32(slice)) > 0 {
                if waiting[1].revents != 0 { hears = complaints.drain() }
                if waiting[0].revents != 0 { return }
            }
        }
    }

    private func ended(_ doing: String) -> BackendError {
        hasEnded = true
        complaints.drain()
        let last = complaints.last.isEmpty ? "" : ": \(complaints.last)"
        return BackendError(
            .unavailable,
            "\(doing): the python process ended\(last)",
            isRetryable: true,
            isMaybeApplied: true
        )
    }

    private func disorder(_ doing: String) -> BackendError {
        BackendError(.internal, "\(doing): the python process does not keep to the protocol", isMaybeApplied: true)
    }
}
