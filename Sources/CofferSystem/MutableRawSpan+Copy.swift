extension MutableRawSpan {
    /// Copies `count` bytes of `bytes` from `start` on to `offset`; all of it must lie inside both.
    package mutating func copy(_ bytes: [UInt8], from start: Int, count: Int, to offset: Int) {
        precondition(start >= 0 && count >= 0 && start + count <= bytes.count)
        precondition(offset >= 0 && offset + count <= byteCount)
        withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[start..<start + count]))
            }
        }
    }
}
