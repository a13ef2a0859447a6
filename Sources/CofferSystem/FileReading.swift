import Glibc

extension Descriptor {
    /// Reads from `offset` until the buffer is full or the file ends; returns how far it came.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: Int64
    ) throws(SystemError) -> Int {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let got = pread(number, base + done, buffer.count - done, off_t(offset) + off_t(done))
            if got == 0 { break }
            if got > 0 { done += got } else if errno != EINTR { throw SystemError("read a file", number: errno) }
        }
        return done
    }

    /// Reads from `offset` until the buffer is full or the file ends; returns how far it came.
    package func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(SystemError) -> Int {
        try buffer.withUnsafeMutableBytes { bytes throws(SystemError) in try read(into: bytes, at: offset) }
    }
}
