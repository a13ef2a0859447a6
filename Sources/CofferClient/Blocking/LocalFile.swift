import CofferAPI
package import CofferModel
package import CofferSystem
import Glibc

/// A file of this machine that becomes an object.
package struct LocalFile: Sendable {
    package let descriptor: Descriptor
    /// Nil where it is a pipe or a device, whose end nobody knows.
    package let size: Int64?
    private let path: String

    /// Opens the file at `path`.
    ///
    /// - Throws: ``CofferError`` with `not_found`, `permission_denied` or `invalid_argument`, naming the path.
    package init(reading path: String) throws(CofferError) {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw LocalFile.failure(path, errno) }
        try self.init(Descriptor(owning: number), path: path)
    }

    /// Takes over an open file; `path` is what messages call it.
    package init(_ descriptor: Descriptor, path: String) throws(CofferError) {
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { throw LocalFile.failure(path, errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw LocalFile.failure(path, EISDIR) }
        self.descriptor = descriptor
        self.path = path
        size = status.st_mode & S_IFMT == S_IFREG ? Int64(status.st_size) : nil
    }

    /// A failure of the file system in the words of the house.
    package static func failure(_ path: String, _ number: Int32) -> CofferError {
        let code: CofferError.Code =
            switch number {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM, EROFS: .permissionDenied
            case EEXIST: .alreadyExists
            case ENOSPC, EDQUOT: .noSpace
            case EISDIR, ENAMETOOLONG, EINVAL: .invalidArgument
            default: .internal
            }
        return CofferError(code, "\(path): \(errorText(number))")
    }

    /// Writes the file as an object: by its descriptor where that pays, otherwise piece by piece.
    ///
    /// `progress` hears how many bytes went.
    package func put(
        _ channel: HostChannel,
        _ storage: String,
        _ target: PutTarget,
        _ options: PutOptions = PutOptions(),
        _ cancel: CancelHandle? = nil,
        progress: ((Int64) -> Void)? = nil
    ) throws(CofferError) -> PutResult {
        if let size, size >= ObjectDownload.descriptorThreshold {
            do {
                let result = try channel.put(
                    storage,
                    target,
                    file: descriptor,
                    offset: 0,
                    length: size,
                    options,
                    cancel
                )
                progress?(size)
                return result
            } catch {
                // Refused before anything was written: a host that takes no descriptors takes bytes.
                guard error.code == .unsupported else { throw error }
            }
        }
        let upload = try ObjectUpload(channel, storage, target, length: size, options, cancel)
        var buffer = [UInt8](repeating: 0, count: Int(min(size.map { max($0, 1) } ?? .max, 256 << 10)))
        var sent: Int64 = 0
        while true {
            let count = try readPiece(&buffer)
            guard count > 0 else { return try upload.finish() }
            let outcome = buffer.withUnsafeBytes { bytes in
                Result { () throws(CofferError) in
                    try upload.append(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                }
            }
            try outcome.get()
            sent += Int64(count)
            progress?(sent)
        }
    }

    private func readPiece(_ buffer: inout [UInt8]) throws(CofferError) -> Int {
        var count = 0
        repeat { count = read(descriptor.number, &buffer, buffer.count) } while count < 0 && errno == EINTR
        guard count >= 0 else { throw LocalFile.failure(path, errno) }
        return count
    }
}
