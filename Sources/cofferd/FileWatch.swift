import CofferSystem
import Glibc

/// Calls back when one of some files was written, replaced, made or removed.
///
/// It watches their folders: editors replace a file instead of writing it, and a watch on the file would be lost.
final class FileWatch: Sendable {
    /// How many milliseconds without another change make a change complete.
    private static let quiet: Int32 = 50

    private let inotify: Descriptor
    private let files = Locked<Set<String>>([])

    /// Starts watching on a thread of its own; nil where the kernel has no watches left.
    init?(_ paths: [String], onChange: @escaping @Sendable () -> Void) {
        let number = inotify_init1(Int32(IN_CLOEXEC))
        guard number >= 0 else { return nil }
        inotify = Descriptor(owning: number)
        watch(paths)
        let inotify = inotify
        let files = files
        _ = try? Thread.start(named: "config-watch") {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = Glibc.read(inotify.number, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                let changed = FileWatch.names(in: buffer[..<count])
                guard files.withLock({ files in changed.contains { files.contains($0) } }) else { continue }
                // Whoever changes one file often changes more, or makes it before writing it: until it is quiet.
                var more = pollfd(fd: inotify.number, events: Int16(POLLIN), revents: 0)
                while poll(&more, 1, FileWatch.quiet) > 0 {
                    guard Glibc.read(inotify.number, &buffer, buffer.count) > 0 else { return }
                }
                onChange()
            }
        }
    }

    /// Watches these files from now on, beside those of before.
    func watch(_ paths: [String]) {
        for path in paths {
            guard let slash = path.lastIndex(of: "/") else { continue }
            let folder = slash == path.startIndex ? "/" : String(path[..<slash])
            files.withLock { _ = $0.insert(String(path[path.index(after: slash)...])) }
            let events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE
            inotify_add_watch(inotify.number, folder, UInt32(events))
        }
    }

    /// The names that a block of inotify events speaks of (inotify(7): a header of 16 bytes, then the name and NULs).
    private static func names(in events: ArraySlice<UInt8>) -> [String] {
        var names: [String] = []
        var rest = events
        while rest.count >= 16 {
            let header = rest.prefix(16)
            let length = header.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            let name = rest.dropFirst(16).prefix(length).prefix { $0 != 0 }
            names.append(String(decoding: name, as: UTF8.self))
            rest = rest.dropFirst(16 + length)
        }
        return names
    }
}
