// Reading a regular file at a place, without moving its position: what other holders of the descriptor see stays put.
import Glibc

extension Descriptor {
    /// Reads up to the length of `buffer` at `offset` and says how much; 0 only at the end.
    package func read(into buffer: inout MutableRawSpan, at offset: Int64) throws(SystemError) -> Int {
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(number, $0.baseAddress, $0.count, off_t(offset)) }
            if count >= 0 { return count }
            guard errno == EINTR else { throw SystemError("read a file", number: errno) }
        }
    }
}
