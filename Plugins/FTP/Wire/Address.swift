// Where a socket is connected to, or listens.

import Glibc

/// An address and a port of the Internet.
struct Address {
    private var storage: sockaddr_storage
    private var length: socklen_t

    /// The address of a result of `getaddrinfo`.
    init?(_ pointer: UnsafePointer<sockaddr>?, _ length: socklen_t) {
        guard let pointer, Int(length) <= MemoryLayout<sockaddr_storage>.size else { return nil }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: Int(length)))
        }
        (self.storage, self.length) = (storage, length)
    }

    /// What a call like `getpeername` tells.
    init?(_ fill: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { fill($0, &length) }
        }
        guard result == 0 else { return nil }
        (self.storage, self.length) = (storage, length)
    }

    /// `AF_INET` or `AF_INET6`.
    var family: Int32 { Int32(storage.ss_family) }

    /// The port; both families keep it in the same place.
    var port: UInt16 {
        get { withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) } }
        set {
            withUnsafeMutableBytes(of: &storage) {
                $0[2] = UInt8(truncatingIfNeeded: newValue >> 8)
                $0[3] = UInt8(truncatingIfNeeded: newValue)
            }
        }
    }

    /// The address in digits.
    var host: String {
        var text = [CChar](repeating: 0, count: 64)
        let result = withC { getnameinfo($0, $1, &text, 64, nil, 0, NI_NUMERICHOST) }
        guard result == 0 else { return "" }
        let bytes = text.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: "%")) }
        return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Lends it to C.
    func withC<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
