// Bytes on their way to the server, under a name that nobody sees.

import CofferPluginSDK
import Glibc

/// One upload: from its first byte to the moment when it is published, or gone.
///
///     begun ──append──▶ begun ──finish──▶ stored ──publish──▶ published
///       └────────────────abandon──────────┴──▶ gone
final class Upload {
    /// Where the bytes lie.
    let temporary: [UInt8]
    let control: Control
    private let store: Store
    private var channel: Channel?
    private(set) var size: Int64 = 0

    private init(_ store: Store, _ control: Control, _ channel: Channel, _ temporary: [UInt8]) {
        (self.store, self.control, self.channel, self.temporary) = (store, control, channel, temporary)
    }

    /// Begins an upload on a connection, which stays the caller's to release.
    static func begin(
        _ store: Store,
        _ attempt: ByteString,
        _ control: Control,
        _ patience: Patience
    ) throws(Fault) -> Upload {
        let temporary = store.temporary(attempt)
        let command = try store.command("STOR", temporary)
        let staging = store.path(Names.reserved)
        switch try Transfer(control).begin(command, patience).beginning {
        case .open(let channel):
            store.server.remember(staging)
            return Upload(store, control, channel, temporary)
        case .refused(let reply):
            // The first upload to a new root; or somebody removed what was there.
            store.server.forget(staging)
            try store.makeDirectories(store.rootDirectories + [staging], control, patience)
            switch try Transfer(control).begin(command, patience).beginning {
            case .open(let channel): return Upload(store, control, channel, temporary)
            case .refused(let second):
                if second.saysForbidden || reply.saysForbidden || second.code == 553 {
                    throw .failed(
                        BackendError(
                            .permission,
                            "the server takes no uploads here: \(second.code) \(second.words)",
                            native: Int32(second.code)
                        )
                    )
                }
                throw .failed(second.error("cannot upload"))
            }
        }
    }

    /// Sends bytes.
    func append(_ bytes: UnsafeRawBufferPointer, _ patience: Patience) throws(Fault) {
        guard let channel else { return }
        do throws(Fault) { try channel.write(bytes, patience) } catch {
            throw explained(error)
        }
        size += Int64(bytes.count)
    }

    /// Ends the transfer: the server has all of it.
    func finish(_ patience: Patience) throws(Fault) {
        guard let channel else { return }
        do throws(Fault) { try channel.finish(patience) } catch {
            throw explained(error)
        }
        let reply = try control.finalAnswer(patience)
        self.channel = nil
        control.end(channel)
        guard reply.isDone else { throw .failed(reply.error("the upload failed")) }
    }

    /// A server that takes no more bytes says why on the control connection.
    private func explained(_ fault: Fault) -> Fault {
        guard case .lost = fault, let channel else {
            control.spoil()
            return fault
        }
        self.channel = nil
        control.end(channel)
        do throws(Fault) {
            let reply = try control.finalAnswer(Patience(milliseconds: 500))
            return .failed(reply.error("the upload failed"))
        } catch {
            control.spoil()
            return fault
        }
    }

    /// Ends it without a trace; what cannot be removed in time is swept later.
    func abandon() {
        let patience = Patience(milliseconds: 600)
        if let channel {
            self.channel = nil
            Ending(control).abandon(channel)
        }
        guard !control.isBroken, let command = try? store.command("DELE", temporary) else { return }
        do throws(Fault) { _ = try control.ask(command, patience) } catch { control.spoil() }
    }
}
