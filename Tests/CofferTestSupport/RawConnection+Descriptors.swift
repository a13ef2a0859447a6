// Descriptors that travel beside bytes, both ways, as a client without our libraries would do it.
package import CofferSystem
import Glibc

// A control message: its length in 8 bytes, its level and kind in 4 each, then the descriptors, padded to 8 (cmsg(3)).
private let headerSize = 16

extension RawConnection {
    /// Sends `text` in one message, with `descriptors` beside its first byte.
    @discardableResult
    package func send(_ text: String, attaching descriptors: [Int32]) -> Bool {
        var bytes = Array(text.utf8)
        let length = headerSize + descriptors.count * 4
        var control = [UInt8](repeating: 0, count: headerSize + (descriptors.count * 4 + 7) / 8 * 8)
        control.withUnsafeMutableBytes { control in
            control.storeBytes(of: length, toByteOffset: 0, as: Int.self)
            control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
            control.storeBytes(of: Int32(SCM_RIGHTS), toByteOffset: 12, as: Int32.self)
            for (index, number) in descriptors.enumerated() {
                control.storeBytes(of: number, toByteOffset: headerSize + index * 4, as: Int32.self)
            }
        }
        let size = descriptors.isEmpty ? 0 : control.count
        return bytes.withUnsafeMutableBytes { bytes in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = size == 0 ? nil : control.baseAddress
                    message.msg_controllen = size
                    return sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)) == bytes.count
                }
            }
        }
    }

    /// The first descriptor that came and was not taken yet; nil if there is none.
    package func takeDescriptor() -> Descriptor? {
        received.isEmpty ? nil : Descriptor(owning: received.removeFirst())
    }

    /// Receives bytes, and keeps the descriptors that come with them.
    func receive(into buffer: inout [UInt8]) -> Int {
        var control = [UInt8](repeating: 0, count: 256)
        let (count, controlSize) = buffer.withUnsafeMutableBytes { buffer in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return (recvmsg(descriptor, &message, Int32(MSG_CMSG_CLOEXEC)), message.msg_controllen)
                }
            }
        }
        guard count >= 0, controlSize > headerSize else { return count }
        control.withUnsafeBytes { control in
            let length = control.load(fromByteOffset: 0, as: Int.self)
            guard control.load(fromByteOffset: 12, as: Int32.self) == Int32(SCM_RIGHTS) else { return }
            for offset in stride(from: headerSize, to: min(length, controlSize), by: 4) {
                received.append(control.load(fromByteOffset: offset, as: Int32.self))
            }
        }
        return count
    }
}
