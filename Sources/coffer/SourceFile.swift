import CofferClient
import CofferModel
import Glibc

/// A file to store, and the key it goes to.
struct SourceFile {
    let path: String
    let key: String

    /// The files that `source` means; a directory gives all that lie in it, in byte order of their names.
    static func find(_ source: String, isRecursive: Bool, into target: Address) throws(Failure) -> [SourceFile] {
        if source == "-" {
            guard !target.isFolder else {
                throw .usage("put: standard input has no name; DST must be a whole key", command: "put")
            }
            return [SourceFile(path: source, key: target.key)]
        }
        var status = stat()
        guard stat(source, &status) == 0 else {
            throw .operation(subject: "put", LocalFile.failure(source, errno))
        }
        let name = Address("x:" + source).lastSegment
        if status.st_mode & S_IFMT == S_IFDIR {
            guard isRecursive else { throw .usage("put: \(source) is a directory; -r stores it", command: "put") }
            // `.` and `..` name no folder of their own: what is in them goes to the target itself.
            let base = name == "." || name == ".." || name.isEmpty ? target.key : target.key + name + "/"
            return try walk(source, base)
        }
        return [SourceFile(path: source, key: target.isFolder ? target.key + name : target.key)]
    }

    private static func walk(_ folder: String, _ prefix: String) throws(Failure) -> [SourceFile] {
        var files: [SourceFile] = []
        for name in try names(in: folder) {
            let path = folder.utf8.last == UInt8(ascii: "/") ? folder + name : "\(folder)/\(name)"
            var status = stat()
            // Links to directories are not followed: a walk must end.
            guard lstat(path, &status) == 0 else {
                throw .operation(subject: "put", LocalFile.failure(path, errno))
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: files += try walk(path, prefix + name + "/")
            case S_IFREG: files.append(SourceFile(path: path, key: prefix + name))
            case S_IFLNK:
                guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
                files.append(SourceFile(path: path, key: prefix + name))
            // Sockets, pipes and devices are nothing to store.
            default: continue
            }
        }
        return files
    }

    private static func names(in folder: String) throws(Failure) -> [String] {
        guard let directory = opendir(folder) else {
            throw .operation(subject: "put", LocalFile.failure(folder, errno))
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
