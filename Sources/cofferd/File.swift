import Glibc

/// Small files, read and replaced whole.
enum File {
    /// What could not be read, and why.
    struct Unreadable: Error {
        let number: Int32
    }

    /// The text of the file at `path`; nil if it cannot be read.
    static func read(_ path: String) -> String? { (try? bytes(path)).map { String(decoding: $0, as: UTF8.self) } }

    /// The bytes of the file at `path`, up to 16 MiB.
    static func bytes(_ path: String) throws(Unreadable) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(number: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Unreadable(number: errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= 16 << 20 else { throw Unreadable(number: EFBIG) }
        }
    }

    /// Puts `text` in the place of the file at `path`, so that a reader sees the old text or the new one; the error
    /// number where that fails.
    static func replace(_ path: String, with text: String) -> Int32? {
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count, fsync(descriptor) == 0,
            rename(temporary, path) == 0
        else {
            let number = errno
            unlink(temporary)
            return number
        }
        return nil
    }
}
