package import CofferAPI
import CofferHTTP
package import CofferModel
import CofferSystem
import Glibc

/// An object that is being read; used by one thread at a time.
///
/// Where the host can, its bytes come from a descriptor that the host passed, at the speed of the page cache.
///
/// Unchecked because of that contract: only the reading thread touches what is not constant.
package final class ObjectDownload: @unchecked Sendable {
    /// What is read.
    package let object: StoredObject
    /// Which bytes of the object come.
    package let range: Range<Int64>
    private var source: Source

    private enum Source {
        case answer(HostAnswer)
        case file(Descriptor, offset: Int64, left: Int64)
        case ended
    }

    private init(object: StoredObject, range: Range<Int64>, source: Source) {
        self.object = object
        self.range = range
        self.source = source
    }

    /// Whether the bytes come from a descriptor instead of the connection.
    package var isDirect: Bool {
        if case .file = source { true } else { false }
    }

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
        return try make(answer, key: key)
    }

    private static func make(_ answer: HostAnswer, key: Key) throws(CofferError) -> ObjectDownload {
        let passed = try answer.headers["coffer-fd"].map { value throws(CofferError) in
            try DescriptorField(parsing: value)
        }
        let length = passed?.length ?? answer.headers["content-length"].flatMap { Int64($0) }
        let part = answer.headers["content-range"].flatMap { RangeFields.parseContentRange($0) }
        let size = part.map { $0.size } ?? length
        let object = try ObjectFields.object(key: key, size: size, fields: answer.fields)
        let range = part?.range ?? 0..<max(0, length ?? .max)
        guard let passed else { return ObjectDownload(object: object, range: range, source: .answer(answer)) }
        answer.finish()
        guard let descriptor = answer.descriptor else {
            throw CofferError(
                .unavailable,
                "the descriptor of the answer was lost; too many files may be open",
                key: key
            )
        }
        let source = Source.file(descriptor, offset: passed.offset, left: passed.length)
        return ObjectDownload(object: object, range: range, source: source)
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
        case .file(let file, let offset, let left):
            guard left > 0 else {
                source = .ended
                return 0
            }
            var count = 0
            repeat {
                count = pread(file.number, target.baseAddress, Int(min(left, Int64(target.count))), Int(offset))
            } while count < 0 && errno == EINTR
            guard count >= 0 else {
                throw CofferError(.backendError, "reading the object's file: \(errorText(errno))", key: object.key)
            }
            guard count > 0 else {
                throw CofferError(.corrupt, "the object's file ends \(left) bytes early", key: object.key)
            }
            source = .file(file, offset: offset + Int64(count), left: left - Int64(count))
            return count
        }
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
