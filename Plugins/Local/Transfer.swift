// Bytes from one descriptor into a draft, by the cheapest way that the file system offers.

import CLocal
import CofferPluginSDK
import Glibc

/// Copies between descriptors: shared extents, then inside the kernel, then by hand.
struct Transfer {
    /// The file system of the target, as `statfs` says it.
    let fileSystem: Int64

    /// From here on it is worth asking whether extents can be shared.
    private static let smallestClone: UInt64 = 64 << 10
    /// How much is copied between two looks at the clock.
    private static let step = 64 << 20
    /// A buffer that stays in the cache and is reused.
    private static let buffer = 256 << 10

    /// ext4 and tmpfs share no extents, and ext4 copies inside the kernel slower than by hand.
    private var copiesByHand: Bool { fileSystem == local_EXT_MAGIC || fileSystem == local_TMPFS_MAGIC }

    /// Appends up to `length` bytes of `source` to the draft; fewer only if the source ends.
    ///
    /// Without an offset the source is read from where it is.
    func copy(
        _ source: Int32,
        _ offset: UInt64?,
        _ length: UInt64,
        to draft: Draft,
        call: Call
    ) throws(BackendError) -> UInt64 {
        guard length > 0 else { return 0 }
        guard let offset else { return try byHand(source, nil, length, to: draft, call: call) }
        guard offset <= UInt64(Int64.max) - min(length, UInt64(Int64.max)) else {
            throw BackendError(.invalidArgument, "the range of the descriptor ends past every file")
        }
        if copiesByHand { return try byHand(source, offset, length, to: draft, call: call) }
        if length >= Self.smallestClone, clone(source, offset, length, to: draft) { return length }
        let done = try inKernel(source, offset, length, to: draft, call: call)
        return done + (try byHand(source, offset + done, length - done, to: draft, call: call))
    }

    private func clone(_ source: Int32, _ offset: UInt64, _ length: UInt64, to draft: Draft) -> Bool {
        // Another file system, unaligned, a pipe: whatever the reason, the bytes can still be copied.
        guard local_clone_range(draft.file.number, source, offset, length, draft.size) == 0 else { return false }
        draft.extend(by: length)
        return true
    }

    /// Answers less than `length` where the kernel stops or cannot do it; the rest is copied by hand.
    private func inKernel(
        _ source: Int32,
        _ offset: UInt64,
        _ length: UInt64,
        to draft: Draft,
        call: Call
    ) throws(BackendError) -> UInt64 {
        var done: UInt64 = 0
        while done < length {
            try call.check()
            let step = Int(min(UInt64(Self.step), length - done))
            let result = local_copy_range(draft.file.number, Int64(draft.size), source, Int64(offset + done), step)
            switch -result {
            case Int64(ENOSPC), Int64(EDQUOT), Int64(EFBIG):
                throw Refusal(number: Int32(-result)).error("cannot write")
            default: break
            }
            guard result > 0 else { break }
            draft.extend(by: UInt64(result))
            done += UInt64(result)
        }
        return done
    }

    private func byHand(
        _ source: Int32,
        _ offset: UInt64?,
        _ length: UInt64,
        to draft: Draft,
        call: Call
    ) throws(BackendError) -> UInt64 {
        guard length > 0 else { return 0 }
        let size = Int(min(UInt64(Self.buffer), length))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        defer { buffer.deallocate() }
        var done: UInt64 = 0
        while done < length {
            try call.check()
            let wanted = Int(min(UInt64(size), length - done))
            let result: Int64
            if let offset {
                result = local_pread(source, buffer.baseAddress, wanted, Int64(offset + done))
            } else {
                result = local_read(source, buffer.baseAddress, wanted)
            }
            if result == Int64(-EAGAIN) {
                try wait(for: source, call: call)
                continue
            }
            guard result >= 0 else { throw Refusal(number: Int32(-result)).error("cannot read the given descriptor") }
            if result == 0 { break }
            try draft.append(UnsafeRawBufferPointer(rebasing: buffer[..<Int(result)]))
            done += UInt64(result)
        }
        return done
    }

    /// Waits until a pipe or socket has bytes, in steps short enough to see a cancelled call.
    private func wait(for source: Int32, call: Call) throws(BackendError) {
        var waiting = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, 100) == 0 { try call.check() }
    }
}
