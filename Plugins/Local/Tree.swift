// Everything that touches the tree below the root by path, and never anything above or beside it.

import CLocal
import Glibc

/// The tree below a root descriptor.
///
/// 1. Each path is resolved from the root's descriptor by `openat2` with `RESOLVE_BENEATH`, without symbolic links;
///    where the kernel has no `openat2`, segment by segment with `O_NOFOLLOW`. A directory that is swapped for a link
///    meanwhile is refused by the kernel itself.
/// 2. What is made, linked, renamed or removed is named by one segment in a directory that was opened so.
struct Tree: Sendable {
    /// The root.
    let root: Descriptor
    /// The mode of new directories.
    let directoryMode: UInt32
    /// False walks segment by segment, as on a kernel without `openat2`.
    let hasOpenat2: Bool

    /// Opens what is at `path`, which has a NUL behind it, with `flags`.
    func open(_ path: [UInt8], _ flags: Int32) throws(Refusal) -> Descriptor {
        // A pipe must not make us wait. O_PATH opens nothing, and takes no such flag.
        let flags = flags | O_CLOEXEC | (flags & local_O_PATH == 0 ? O_NONBLOCK : 0)
        guard hasOpenat2 else { return try walk(path, flags | O_NOFOLLOW) }
        var tries = 0
        while true {
            let result = unsafeOpen(path, flags)
            if result >= 0 { return Descriptor(result) }
            if result == -ENOSYS { return try walk(path, flags | O_NOFOLLOW) }
            // The kernel could not rule out a race with a rename.
            if result == -EAGAIN && tries < 100 {
                tries += 1
                continue
            }
            throw Refusal(number: -result)
        }
    }

    private func unsafeOpen(_ path: [UInt8], _ flags: Int32) -> Int32 {
        path.withUnsafeBytes { bytes in
            local_openat2(
                root.number,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                flags,
                0,
                local_RESOLVE_INSIDE
            )
        }
    }

    /// The same without `openat2`: no segment may be a link, so none can lead out.
    private func walk(_ path: [UInt8], _ flags: Int32) throws(Refusal) -> Descriptor {
        var current = root
        var start = 0
        while let slash = path[start...].firstIndex(of: UInt8(ascii: "/")) {
            let segment = Array(path[start..<slash]) + [0]
            current = Descriptor(
                try Refusal.check(openSegment(current, segment, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
            )
            start = slash + 1
        }
        return Descriptor(try Refusal.check(openSegment(current, Array(path[start...]), flags)))
    }

    private func openSegment(_ directory: Descriptor, _ name: [UInt8], _ flags: Int32) -> Int32 {
        let result = withName(name) { local_openat(directory.number, $0, flags, 0) }
        // With O_DIRECTORY a link is ENOTDIR: say what it is.
        guard result == -ENOTDIR else { return result }
        var facts = local_facts.none
        guard withName(name, { local_facts_at(directory.number, $0, &facts) }) == 0 else { return result }
        return facts.mode & 0o170000 == 0o120000 ? -ELOOP : result
    }

    /// Opens the directory at `path` (no NUL; empty is the root).
    func openDirectory(_ path: ArraySlice<UInt8>) throws(Refusal) -> Descriptor {
        try open(path.isEmpty ? [UInt8(ascii: "."), 0] : path + [0], O_RDONLY | O_DIRECTORY)
    }

    /// Opens the directory at `path` (no NUL; empty is the root), and makes what is missing of it.
    ///
    /// `made` is told the length of each path that got a new directory, before the next one is made.
    func makeDirectory(
        _ path: ArraySlice<UInt8>,
        made: (_ inside: ArraySlice<UInt8>) -> Void
    ) throws(Refusal) -> Descriptor {
        do throws(Refusal) { return try openDirectory(path) } catch {
            guard error.number == ENOENT, !path.isEmpty else { throw error }
        }
        // Somebody who removes empty directories may undo each step before the next.
        for _ in 0..<100 {
            do throws(Refusal) {
                let slash = path.lastIndex(of: UInt8(ascii: "/"))
                let above = path[..<(slash ?? path.startIndex)]
                let parent = try makeDirectory(above, made: made)
                let name = Array(path[(slash.map { $0 + 1 } ?? path.startIndex)...]) + [0]
                let result = withName(name) { local_mkdirat(parent.number, $0, directoryMode) }
                if result == 0 { made(above) }
                if result != -EEXIST { try Refusal.check(result) }
                return try openDirectory(path)
            } catch {
                guard error.number == ENOENT else { throw error }
            }
        }
        throw Refusal(number: EAGAIN)
    }

    /// Removes the directory at `path` (no NUL) and those above it, as long as they are empty.
    ///
    /// Answers the path of the last one that stayed.
    func prune(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var path = path
        while !path.isEmpty {
            let slash = path.lastIndex(of: UInt8(ascii: "/"))
            let above = path[..<(slash ?? path.startIndex)]
            let name = Array(path[(slash.map { $0 + 1 } ?? path.startIndex)...]) + [0]
            // A directory that cannot be opened or removed stays: it is not empty, or somebody else removed it.
            guard let parent = try? openDirectory(above) else { return above }
            guard withName(name, { local_unlinkat(parent.number, $0, 1) }) == 0 else { return path }
            path = above
        }
        return path
    }
}

/// Hands a name with a NUL behind it to C.
func withName<R>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> R) -> R {
    precondition(name.last == 0, "a name without its NUL")
    return name.withUnsafeBufferPointer { bytes in
        bytes.withMemoryRebound(to: CChar.self) { characters in
            guard let address = characters.baseAddress else { preconditionFailure("an empty array has no name") }
            return body(address)
        }
    }
}
