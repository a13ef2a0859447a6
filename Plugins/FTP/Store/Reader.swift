// One read of the host: small ones are fetched whole, large ones as they are asked for.

import CofferPluginSDK
import Glibc

/// A read whose bytes are here already.
final class HeldReader: ReadStream {
    private let bytes: [UInt8]
    private var at = 0

    /// A read of these bytes.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        let count = min(buffer.byteCount, bytes.count - at)
        let start = at
        buffer.withUnsafeMutableBytes { to in
            bytes.withUnsafeBytes { from in
                to.copyMemory(from: UnsafeRawBufferPointer(rebasing: from[start..<(start + count)]))
            }
        }
        at += count
        return count
    }

    func close() {}
}

/// A read over a data connection.
///
/// A connection that breaks is replaced, and the read goes on where it was, if the file is still the same; that it is, is
/// known as well as the server tells: by size, time, and what it calls unique.
final class FileReader: ReadStream {
    private static let mostBreaks = 3

    private let store: Store
    private let name: [UInt8]
    private let facts: Facts
    private var control: Control?
    private var channel: Channel?
    /// Where the next byte lies in the file.
    private var offset: UInt64
    private let end: UInt64
    private var breaks = 0

    /// A read that has begun: the next byte of `channel` lies at the lower bound of `range`.
    init(
        _ store: Store,
        _ name: [UInt8],
        _ facts: Facts,
        _ range: Range<UInt64>,
        _ control: Control,
        _ channel: Channel
    ) {
        (self.store, self.name, self.facts) = (store, name, facts)
        (offset, end) = (range.lowerBound, range.upperBound)
        (self.control, self.channel) = (control, channel)
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        let patience = store.patience(call)
        var count = 0
        var failure: BackendError?
        buffer.withUnsafeMutableBytes { bytes in
            do throws(BackendError) {
                count = try meaning { () throws(Fault) in try read(into: bytes, patience) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return count
    }

    private func read(into buffer: UnsafeMutableRawBufferPointer, _ patience: Patience) throws(Fault) -> Int {
        let left = end - offset
        guard left > 0, !buffer.isEmpty else { return 0 }
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(min(UInt64(buffer.count), left))))
        while true {
            do throws(Fault) {
                if channel == nil { try reopen(patience) }
                guard let channel, let control else { throw .lost("no data connection") }
                let count = try channel.read(into: room, patience)
                if count > 0 {
                    offset += UInt64(count)
                    breaks = 0
                    return count
                }
                control.end(channel)
                self.channel = nil
                let reply = try control.finalAnswer(patience)
                store.pool.release(control)
                self.control = nil
                throw .lost("the transfer ended \(end - offset) bytes early: \(reply.words)")
            } catch {
                breaks += 1
                drop()
                guard case .lost = error, breaks <= Self.mostBreaks else { throw error }
            }
        }
    }

    private func drop() {
        channel = nil
        guard let control else { return }
        control.spoil()
        store.pool.release(control)
        self.control = nil
    }

    private func reopen(_ patience: Patience) throws(Fault) {
        let path = store.path(name)
        let fresh = try store.pool.acquire(patience, fresh: true)
        do throws(Fault) {
            let command = try store.command("RETR", path)
            guard try Looking(fresh).look(path, patience) == facts else {
                throw .failed(BackendError(.changed, "the object changed while it was read: \(words(name))"))
            }
            switch try Transfer(fresh).begin(command, at: offset, patience).beginning {
            case .open(let channel): (self.control, self.channel) = (fresh, channel)
            case .refused(let reply): throw .failed(reply.error("cannot go on reading \(words(name))"))
            }
        } catch {
            store.pool.release(fresh)
            throw error
        }
    }

    func close() {
        guard let control else { return }
        if let channel { Self.settle(control, channel, isWhole: offset == end && end == UInt64(facts.size)) }
        store.pool.release(control)
        (self.control, self.channel) = (nil, nil)
    }

    /// Ends a transfer after its last wanted byte: the server's end is awaited if it must be near, else it is cut off.
    static func settle(_ control: Control, _ channel: Channel, isWhole: Bool) {
        guard isWhole else {
            Ending(control).abandon(channel)
            return
        }
        do throws(Fault) {
            let patience = Patience(milliseconds: 400)
            var more: UInt8 = 0
            var count = 0
            var failure: Fault?
            withUnsafeMutableBytes(of: &more) { buffer in
                do throws(Fault) { count = try channel.read(into: buffer, patience) } catch { failure = error }
            }
            if let failure { throw failure }
            guard count == 0 else {
                Ending(control).abandon(channel)
                return
            }
            control.end(channel)
            _ = try control.finalAnswer(patience)
        } catch {
            control.spoil()
        }
    }
}
