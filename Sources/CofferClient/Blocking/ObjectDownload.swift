package import CofferAPI
import CofferHTTP
package import CofferModel
import CofferSystem
import Glibc

/// An object that is being read from its start by one thread at a time, and at any place by many.
///
/// Where the host can, its bytes come from a descriptor that the host passed, at the speed of the page cache.
///
/// Unchecked because of that contract: only the thread that reads from the start touches what is not constant.
package final class ObjectDownload: @unchecked Sendable {
    /// What is read.
    package let object: StoredObject
    /// Which bytes of the object come.
    package let range: Range<Int64>
    private let channel: HostChannel
    private let storage: String
    private let version: String?
    /// The file that the bytes come from, and where they begin in it; nil where they come over the connection.
    private let file: (descriptor: Descriptor, start: Int64)?
    private var source: Source

    private enum Source {
        case answer(HostAnswer)
        case file(read: Int64)
        case ended
    }

    private init(_ answer: HostAnswer, channel: HostChannel, storage: String, key: Key, version: String?)
        throws(CofferError)
    {
        let passed = try answer.headers["coffer-fd"].map { value throws(CofferError) in
            try DescriptorField(parsing: value)
        }
        let length = passed?.length ?? answer.headers["content-length"].flatMap { Int64($0) }
        let part = answer.headers["content-range"].flatMap { RangeFields.parseContentRange($0) }
        object = try ObjectFields.object(key: key, size: part.map { $0.size } ?? length, fields: answer.fields)
        range = part?.range ?? 0..<max(0, length ?? .max)
        self.channel = channel
        self.storage = storage
        self.version = version
        guard let passed else {
            file = nil
            source = .answer(answer)
            return
        }
        answer.finish()
        guard let descriptor = answer.descriptor else {
            throw CofferError(
                .unavailable,
                "the descriptor of the answer was lost; too many files may be open",
                key: key
            )
        }
        file = (descriptor, passed.offset)
        source = .file(read: 0)
    }

    /// Whether the bytes come from a descriptor instead of the connection.
    package var isDirect: Bool { file != nil }

    /// From this size on, a descriptor is worth more than it costs.
    package static let descriptorThreshold: Int64 = 64 << 10

    /// Opens an object for reading.
    package static func open(
        _ channel: HostChannel,
        _ storage: String,
        _ key: Key,
        range: ByteRange = .all,
        version: String? = nil,
        conditions: Conditions = .none,
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> ObjectDownload {
        var fields = ConditionFields.fields(of: conditions)
        if let text = RangeFields.format(range) {
            fields.append(("Range", text))
        } else if case .slice = range {
            throw CofferError(.invalidArgument, "a range of no bytes cannot be read", storage: storage, key: key)
        }
        if range.mayExceed(descriptorThreshold) { fields.append(("Prefer", Wire.descriptorPreference)) }
        let route = Route.get(storage, key, version: version, download: nil)
        let answer = try channel.exchange(HostChannel.Request(route, fields: fields), cancel)
        try answer.check()
        return try ObjectDownload(answer, channel: channel, storage: storage, key: key, version: version)
    }

    /// Reads the next bytes; 0 only at the end.
    ///
    /// - Throws: ``CofferError`` with `corrupt` where fewer bytes come than were announced.
    package func read(into target: UnsafeMutableRawBufferPointer) throws(CofferError) -> Int {
        guard !target.isEmpty else { return 0 }
        switch source {
        case .ended:
            return 0
        case .answer(let answer):
            let count = try answer.read(into: target)
            if count == 0 { source = .ended }
            return count
        case .file(let read):
            let count = try readFile(at: read, into: target)
            source = count == 0 ? .ended : .file(read: read + Int64(count))
            return count
        }
    }

    /// Reads at `place`, counted from the range's start, as much as the file gives at once; 0 only at the range's end.
    private func readFile(at place: Int64, into target: UnsafeMutableRawBufferPointer) throws(CofferError) -> Int {
        let left = Int64(range.count) - place
        guard let file, left > 0 else { return 0 }
        var count = 0
        repeat {
            count = pread(
                file.descriptor.number,
                target.baseAddress,
                Int(min(left, Int64(target.count))),
                Int(file.start + place)
            )
        } while count < 0 && errno == EINTR
        guard count >= 0 else {
            throw CofferError(.backendError, "reading the object's file: \(errorText(errno))", key: object.key)
        }
        guard count > 0 else {
            throw CofferError(.corrupt, "the object's file ends \(left) bytes early", key: object.key)
        }
        return count
    }

    /// Reads `count` bytes at `offset`, counted from the range's start, or fewer where it ends; [any thread].
    ///
    /// - Throws: ``CofferError`` with `changed` where another version has taken this one's place.
    package func read(at offset: Int64, count: Int, _ cancel: CancelHandle? = nil) throws(CofferError) -> [UInt8] {
        guard offset >= 0, count >= 0 else {
            throw CofferError(.invalidArgument, "a range has no negative numbers", storage: storage, key: object.key)
        }
        let length = Int64(range.count)
        let wanted = Int(min(Int64(count), length - min(offset, length)))
        guard wanted > 0 else { return [] }
        guard file != nil else { return try ask(at: range.lowerBound + offset, count: wanted, cancel) }
        var bytes = [UInt8](repeating: 0, count: wanted)
        var done = 0
        while done < wanted {
            let outcome = bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(CofferError) in
                    try readFile(
                        at: offset + Int64(done),
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                    )
                }
            }
            done += try outcome.get()
        }
        return bytes
    }

    /// Asks the host for a part of the same version.
    private func ask(at offset: Int64, count: Int, _ cancel: CancelHandle?) throws(CofferError) -> [UInt8] {
        let part: ObjectDownload
        do throws(CofferError) {
            part = try ObjectDownload.open(
                channel,
                storage,
                object.key,
                range: .slice(offset: offset, length: Int64(count)),
                version: version,
                conditions: Conditions(ifMatch: object.info.etag.map { .tokens([$0]) }),
                cancel
            )
        } catch {
            guard error.code == .preconditionFailed || error.code == .rangeInvalid else { throw error }
            throw changed
        }
        let bytes = try part.readAll(limit: count)
        // A store without etags is told by what else is known.
        let isSame = object.info.etag != nil || part.object.info.modified == object.info.modified
        guard isSame, bytes.count == count, part.object.info.size == object.info.size else { throw changed }
        return bytes
    }

    private var changed: CofferError {
        CofferError(.changed, "the object was replaced while it was read", storage: storage, key: object.key)
    }

    /// The rest as one array; `limit` guards the memory.
    package func readAll(limit: Int = .max) throws(CofferError) -> [UInt8] {
        let expected = range.upperBound == .max ? 0 : range.upperBound - range.lowerBound
        guard expected <= limit else { throw tooLarge(limit) }
        var bytes = [UInt8](repeating: 0, count: max(Int(clamping: expected), 4096))
        var filled = 0
        while true {
            if filled == bytes.count {
                // Exact where the length was announced: then this read finds the end.
                var probe: [UInt8] = [0]
                let more = try Self.read(self, into: &probe, from: 0)
                if more == 0 { break }
                bytes.append(probe[0])
                bytes.append(contentsOf: repeatElement(0, count: bytes.count))
                filled += 1
            }
            let count = try Self.read(self, into: &bytes, from: filled)
            if count == 0 { break }
            filled += count
            guard filled <= limit else { throw tooLarge(limit) }
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    private static func read(
        _ download: ObjectDownload,
        into bytes: inout [UInt8],
        from start: Int
    ) throws(CofferError) -> Int {
        let outcome = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(CofferError) in
                try download.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
            }
        }
        return try outcome.get()
    }

    private func tooLarge(_ limit: Int) -> CofferError {
        CofferError(.tooLarge, "the object has more than \(limit) bytes", key: object.key)
    }
}

extension ByteRange {
    /// Whether this may name at least `count` bytes.
    fileprivate func mayExceed(_ count: Int64) -> Bool {
        switch self {
        case .all, .from: true
        case .slice(_, let length), .suffix(let length): length >= count
        }
    }
}
