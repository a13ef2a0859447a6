// One request on its way, and what came back for it.

import CofferPluginSDK
import SFTPWire

/// One request on its way, and what came back for it.
///
/// Everything but `id` is touched under the lock of its connection until it is done, and by its one owner afterwards.
final class Reply: @unchecked Sendable {
    /// The request's number.
    let id: UInt32
    /// The answer from its type on, once it is there.
    private(set) var body: [UInt8] = []
    /// Whether the answer is there.
    private(set) var isDone = false
    /// Whether nobody waits for it any more.
    private(set) var isAbandoned = false

    init(id: UInt32) { self.id = id }

    /// Takes the answer.
    func complete(_ answer: [UInt8]) {
        body = answer
        isDone = true
    }

    /// Nobody waits any more.
    func abandon() { isAbandoned = true }

    /// The handle in the answer, if it is one.
    var handle: [UInt8]? {
        var reader = PacketReader(body)
        guard (try? reader.byte()) == PacketType.handle, (try? reader.number()) != nil,
            let handle = try? reader.string()
        else { return nil }
        return Array(handle)
    }

    /// What the answer says, if it is a status; nil if it is what was asked for.
    func refusal() throws(WireError) -> Status? {
        var reader = PacketReader(body)
        guard try reader.byte() == PacketType.status else { return nil }
        _ = try reader.number()
        return try reader.status()
    }

    /// Reads the fields of an answer of this type.
    func fields(of type: UInt8) throws(WireError) -> PacketReader {
        var reader = PacketReader(body)
        guard try reader.byte() == type else { throw WireError.malformed }
        _ = try reader.number()
        return reader
    }
}
