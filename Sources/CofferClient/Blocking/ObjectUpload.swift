package import CofferAPI
import CofferHTTP
package import CofferModel
package import CofferSystem
import Glibc

/// An object that is being written in pieces; used by one thread at a time.
///
/// Nothing is visible before ``finish()``; one that goes before breaks the connection, and the host drops the write.
///
/// Unchecked because of that contract: only the writing thread touches what is not constant.
package final class ObjectUpload: @unchecked Sendable {
    private let channel: HostChannel
    private let connection: ClientConnection
    private let method: String
    private let cancel: CancelHandle?
    private let location: (storage: String, key: Key?)
    /// Bytes still to come; nil where their number is not known and chunks are sent.
    private var left: Int64?
    private var isOver = false

    /// Begins a write; `length` nil means that nobody knows yet.
    package init(
        _ channel: HostChannel,
        _ storage: String,
        _ target: PutTarget,
        length: Int64?,
        _ options: PutOptions = PutOptions(),
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) {
        var request = HostChannel.Request(target.route(storage, options), fields: try options.fields())
        request.framing = length.map { ("Content-Length", String($0)) } ?? ("Transfer-Encoding", "chunked")
        self.channel = channel
        self.cancel = cancel
        method = request.method
        location = (storage, target.key)
        left = length
        connection = try channel.begin(request, cancel)
    }

    deinit {
        if !isOver { connection.cancel() }
        cancel?.attach(nil)
    }

    /// Sends the next bytes.
    ///
    /// - Throws: what the host answers if it refuses before the end; `invalid_argument` past the announced length.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(CofferError) {
        guard !bytes.isEmpty else { return }
        if let left {
            guard bytes.count <= left else {
                throw CofferError(
                    .invalidArgument,
                    "more bytes than the announced length",
                    storage: location.storage,
                    key: location.key
                )
            }
            self.left = left - Int64(bytes.count)
            try send(bytes)
        } else {
            try send(Array((String(bytes.count, radix: 16) + "\r\n").utf8))
            try send(bytes)
            try send([0x0D, 0x0A])
        }
    }

    /// Ends the write and gives the object, under its real key.
    package func finish() throws(CofferError) -> PutResult {
        if let left, left > 0 {
            throw CofferError(
                .invalidArgument,
                "\(left) bytes fewer than the announced length",
                storage: location.storage,
                key: location.key
            )
        }
        if left == nil { try send(Array("0\r\n\r\n".utf8)) }
        connection.finishRequest()
        isOver = true
        return try PutResult(channel.finish(connection, method: method, cancel))
    }

    private func send(_ bytes: [UInt8]) throws(CofferError) {
        let outcome = bytes.withUnsafeBytes { buffer in Result { () throws(CofferError) in try send(buffer) } }
        try outcome.get()
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws(CofferError) {
        let isSent: Bool
        do throws(ClientFailure) {
            isSent = try connection.send(bytes)
        } catch {
            throw channel.explained(error, isSafe: false)
        }
        guard !isSent else { return }
        // The host answered before the end: it refuses.
        isOver = true
        let answer = try channel.finish(connection, method: method, cancel)
        try answer.check()
        throw CofferError(.internal, "the host answered \(answer.status) before it had all bytes")
    }
}

/// Under which key to write.
package enum PutTarget: Sendable, Hashable {
    case key(Key)
    /// A key that the host makes.
    case generated(CreateParameters)

    fileprivate var key: Key? {
        if case .key(let key) = self { key } else { nil }
    }

    fileprivate func route(_ storage: String, _ options: PutOptions) -> Route {
        switch self {
        case .key(let key): .put(storage, key, onConflict: options.onConflict)
        case .generated(let parameters): .create(storage, parameters)
        }
    }
}

/// What came of a write.
package struct PutResult: Sendable, Hashable {
    package var object: StoredObject
    /// Whether no object was there before.
    package var isNew: Bool

    init(_ answer: HostAnswer) throws(CofferError) {
        try answer.check()
        object = try StoredObject(parsing: answer.readAll())
        isNew = answer.status == 201
    }
}

extension HostChannel {
    /// Writes bytes that are there as a whole.
    package func put(
        _ storage: String,
        _ target: PutTarget,
        _ bytes: [UInt8],
        _ options: PutOptions = PutOptions(),
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> PutResult {
        // What the socket may not take at once goes in pieces, so that an early refusal is heard.
        if bytes.count > 64 << 10 {
            let upload = try ObjectUpload(self, storage, target, length: Int64(bytes.count), options, cancel)
            let outcome = bytes.withUnsafeBytes { buffer in
                Result { () throws(CofferError) in try upload.append(buffer) }
            }
            try outcome.get()
            return try upload.finish()
        }
        let request = Request(target.route(storage, options), fields: try options.fields(), body: bytes)
        return try PutResult(exchange(request, cancel))
    }

    /// Writes `length` bytes at `offset` of a regular file by handing the host its descriptor.
    package func put(
        _ storage: String,
        _ target: PutTarget,
        file: Descriptor,
        offset: Int64,
        length: Int64,
        _ options: PutOptions = PutOptions(),
        _ cancel: CancelHandle? = nil
    ) throws(CofferError) -> PutResult {
        var request = Request(target.route(storage, options), fields: try options.fields(), body: [])
        request.fields.append((Wire.descriptor, DescriptorField(offset: offset, length: length).text))
        request.descriptor = file
        return try PutResult(exchange(request, cancel))
    }
}
