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
    /// Whether all of it was sent, and the server knows.
    private var isSent = false
    private(set) var size: Int64 = 0

    private init(_ store: Store, _ control: Control, _ temporary: [UInt8]) {
        (self.store, self.control, self.temporary) = (store, control, temporary)
    }

    /// Begins an upload on a connection, which stays the caller's to release; `whole`, if given, is all of it, and may have
    /// been sent when this returns.
    static func begin(
        _ store: Store,
        _ attempt: ByteString,
        _ control: Control,
        _ patience: Patience,
        whole: [UInt8]? = nil
    ) throws(Fault) -> Upload {
        let temporary = store.temporary(attempt)
        let upload = Upload(store, control, temporary)
        let command = try store.command("STOR", temporary)
        let staging = store.path(Names.reserved)
        switch try upload.open(command, whole, patience) {
        case .open:
            store.server.remember(staging)
        case .refused(let reply):
            // The first upload to a new root; or somebody removed what was there.
            store.server.forget(staging)
            try store.makeDirectories(store.rootDirectories + [staging], control, patience)
            switch try upload.open(command, whole, patience) {
            case .open: break
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
        if let whole, !upload.isSent {
            do throws(Fault) {
                try withBytes(of: whole) { buffer throws(Fault) in try upload.append(buffer, patience) }
            } catch {
                upload.abandon()
                throw error
            }
        }
        return upload
    }

    private func open(_ command: Command, _ whole: [UInt8]?, _ patience: Patience) throws(Fault) -> Transfer.Beginning {
        let began = try Transfer(control).begin(command, patience) { channel throws(Fault) in
            guard let whole else { return }
            // Whatever becomes of it, it cannot be sent a second time on this connection.
            isSent = true
            size = Int64(whole.count)
            try withBytes(of: whole) { buffer throws(Fault) in try channel.write(buffer, patience) }
            try channel.finish(patience)
        }
        if case .open(let channel) = began.beginning { self.channel = channel } else { (isSent, size) = (false, 0) }
        return began.beginning
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
        if !isSent {
            do throws(Fault) { try channel.finish(patience) } catch {
                throw explained(error)
            }
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
