// How a read begins.

import CofferPluginSDK
import Glibc

extension Store {
    /// What a read of up to so many bytes fetches at once, so that it holds no connection.
    static let heldBytes: UInt64 = 256 << 10

    /// Begins a read.
    func openRead(_ request: ReadRequest, _ patience: Patience) throws(BackendError) -> ReadAnswer {
        let name = try names.name(of: request.key.bytes)
        return try meaning { () throws(Fault) in
            try pool.keeping(patience) { control throws(Fault) in
                try open(request, name, control, patience)
            }
        }
    }

    /// Where a range begins, if that is known without the size; nil asks for the size first.
    private func start(of range: ReadRange) -> UInt64? {
        switch range {
        case .all: 0
        case .from(let offset): offset
        case .slice(let offset, let length): length == 0 ? nil : offset
        case .suffix: nil
        }
    }

    private func open(
        _ request: ReadRequest,
        _ name: [UInt8],
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> ReadAnswer {
        let path = path(name)
        let questions = try Looking(control).questions(path)
        let command = try command("RETR", path)
        guard let start = start(of: request.range), !questions.isEmpty else {
            let facts = try existing(try Looking(control).look(path, patience), request.key)
            let range = try resolve(request.range, facts)
            guard !range.isEmpty else { return answer(request, facts, range, [], control) }
            let began = try Transfer(control).begin(command, at: range.lowerBound, patience)
            return try finish(request, name, facts, range, began.beginning, control, patience)
        }
        let began = try Transfer(control).begin(command, at: start, after: questions, patience)
        do throws(Fault) {
            let seen: Facts?
            switch try Looking(control).read(began.answers, path) {
            case .found(let facts): seen = facts
            case .nothing: seen = nil
            case .unknown:
                if case .open(let channel) = began.beginning { Ending(control).abandon(channel) }
                return try open(request, name, control, patience)
            }
            let facts = try existing(seen, request.key)
            let range = try resolve(request.range, facts)
            return try finish(request, name, facts, range, began.beginning, control, patience)
        } catch {
            // Whatever was begun for nothing ends here.
            if case .open(let channel) = began.beginning, !control.isBroken { Ending(control).abandon(channel) }
            throw error
        }
    }

    private func existing(_ facts: Facts?, _ key: ByteString) throws(Fault) -> Facts {
        guard let facts, facts.kind == .file else { throw .failed(.notFound(key)) }
        return facts
    }

    private func resolve(_ range: ReadRange, _ facts: Facts) throws(Fault) -> Range<UInt64> {
        try fatal { () throws(BackendError) in
            guard facts.size >= 0 else { throw BackendError(.io, "the server does not tell the size") }
            return try range.resolve(size: UInt64(facts.size))
        }
    }

    private func finish(
        _ request: ReadRequest,
        _ name: [UInt8],
        _ facts: Facts,
        _ range: Range<UInt64>,
        _ beginning: Transfer.Beginning,
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> ReadAnswer {
        let channel: Channel
        switch beginning {
        case .open(let opened): channel = opened
        case .refused(let reply):
            throw .failed(reply.error("cannot read \(request.key)"))
        }
        let isWhole = range.upperBound == UInt64(facts.size)
        guard range.count <= Self.heldBytes else {
            let stream = FileReader(self, name, facts, range, control, channel)
            return ReadAnswer(entry: entry(request.key, facts), range: range, body: .stream(stream))
        }
        let bytes = try fetch(range.count, channel, control, patience)
        FileReader.settle(control, channel, isWhole: isWhole)
        return answer(request, facts, range, bytes, control)
    }

    private func answer(
        _ request: ReadRequest,
        _ facts: Facts,
        _ range: Range<UInt64>,
        _ bytes: [UInt8],
        _ control: Control
    ) -> ReadAnswer {
        pool.release(control)
        return ReadAnswer(entry: entry(request.key, facts), range: range, body: .stream(HeldReader(bytes)))
    }

    /// Reads so many bytes; a transfer that ends early is a broken one, and the whole read is tried again.
    private func fetch(
        _ count: Int,
        _ channel: Channel,
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> [UInt8] {
        var failure: Fault?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            do throws(Fault) {
                while filled < count {
                    let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    let got = try channel.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: room.prefix(count - filled)),
                        patience
                    )
                    if got == 0 { break }
                    filled += got
                }
            } catch {
                failure = error
            }
        }
        if let failure {
            control.spoil()
            throw failure
        }
        guard bytes.count == count else {
            control.end(channel)
            let reply = try control.finalAnswer(patience)
            if reply.isDone {
                throw .failed(BackendError(.changed, "the object became shorter while it was read", isRetryable: true))
            }
            control.spoil()
            throw .lost("the transfer ended early: \(reply.words)")
        }
        return bytes
    }
}
