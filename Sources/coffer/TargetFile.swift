import CofferClient
import CofferModel
import CofferSystem
import Glibc

/// A file that appears whole or not at all: written beside its place, then put into it.
final class TargetFile {
    private let path: String
    private let temporary: String
    private let descriptor: Descriptor
    private var isPublished = false

    /// Makes the file beside `path` that becomes it.
    init(_ path: String) throws(CofferError) {
        self.path = path
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { String(path[...$0]) } ?? ""
        var number: Int32 = -1
        var name = ""
        repeat {
            name = "\(folder).coffer-\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 36))"
            Interruption.protect(name)
            number = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        } while number < 0 && errno == EEXIST
        guard number >= 0 else {
            let error = errno
            Interruption.protect("")
            throw LocalFile.failure(path, error)
        }
        temporary = name
        descriptor = Descriptor(owning: number)
    }

    deinit {
        if !isPublished { unlink(temporary) }
        Interruption.protect("")
    }

    /// Writes the whole object and says how many bytes that were.
    func copy(_ download: ObjectDownload, progress: (Int64) -> Void) throws(CofferError) -> Int64 {
        var done: Int64 = 0
        try download.forEachPiece { piece throws(CofferError) in
            guard Output.writeAll(descriptor.number, piece) else { throw LocalFile.failure(path, errno) }
            done += Int64(piece.count)
            progress(done)
        }
        return done
    }

    /// Puts the file into its place.
    func publish(mayReplace: Bool) throws(CofferError) {
        if mayReplace {
            guard rename(temporary, path) == 0 else { throw LocalFile.failure(path, errno) }
            isPublished = true
        } else {
            // A second name, which cannot replace anything; the first one goes with this object.
            guard link(temporary, path) == 0 else { throw LocalFile.failure(path, errno) }
        }
    }

    /// Whether `path` is a directory, or says by its slash that it is one.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        if stat(path, &status) == 0 { return status.st_mode & S_IFMT == S_IFDIR }
        return path.utf8.last == UInt8(ascii: "/")
    }

    static func join(_ folder: String, _ name: String) -> String {
        if folder == "." { return name }
        return folder.utf8.last == UInt8(ascii: "/") ? folder + name : "\(folder)/\(name)"
    }

    /// Makes the folders that lead to `path`.
    static func makeFolders(of path: String) throws(CofferError) {
        var index = path.utf8.startIndex
        while let slash = path.utf8[index...].firstIndex(of: UInt8(ascii: "/")) {
            let folder = String(path[..<slash])
            index = path.utf8.index(after: slash)
            guard !folder.isEmpty, mkdir(folder, 0o777) != 0, errno != EEXIST else { continue }
            throw LocalFile.failure(folder, errno)
        }
    }
}
