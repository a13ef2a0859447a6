// One request whose bytes stream, and whose last ones wait until it shall take effect.

import CofferPluginSDK
import CofferTransport

/// A put of a known size that is sent while its bytes come; without its last bytes the store does nothing.
final class StreamedPut {
    private let upload: HTTPUpload
    private var chunks: ChunkSigner?
    /// What waits: a chunk that is not full yet, and in any case the last bytes.
    private var held: [UInt8] = []

    /// Begins the request.
    init(_ request: HTTPRequest, size: UInt64, from storage: S3Storage, call: Call) throws(BackendError) {
        let origin = storage.configuration.place.origin
        var request = request
        request.isSigned = false
        var length = size
        if storage.signer.framesStreams(isSecure: origin.isSecure) {
            chunks = try storage.signer.signChunked(&request, length: size, origin: origin, call: call)
            length = ChunkSigner.framedLength(of: size, chunk: UInt64(S3Signer.chunkLength))
        } else if !storage.credentials.isAnonymous {
            try storage.signer.signUnsigned(&request, origin: origin, call: call)
        }
        upload = try storage.endpoint.beginUpload(request, length: length, call: call)
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) {
        var rest = bytes
        while !rest.isEmpty {
            // A full chunk goes when the next byte shows that it is not the last.
            if held.count == S3Signer.chunkLength { try send(call: call) }
            let count = min(S3Signer.chunkLength - held.count, rest.byteCount)
            rest.extracting(first: count).withUnsafeBytes { held.append(contentsOf: $0) }
            rest = rest.extracting(droppingFirst: count)
        }
    }

    private func send(call: Call) throws(BackendError) {
        var bytes = held
        held = []
        if var signer = chunks {
            let framed = signer.head(of: bytes.span.bytes) + bytes + ChunkSigner.lineEnd
            chunks = signer
            try upload.append(framed.span.bytes, call: call)
        } else {
            try upload.append(bytes.span.bytes, call: call)
        }
        bytes.removeAll(keepingCapacity: true)
        held = bytes
    }

    /// Sends the last bytes, and takes the answer.
    func finish(call: Call) throws(BackendError) -> HTTPAnswer {
        if !held.isEmpty { try send(call: call) }
        if var signer = chunks {
            let last = signer.last()
            try upload.append(last.span.bytes, call: call)
        }
        return try upload.finish(call: call)
    }

    /// Breaks it off, unless it is finished.
    func close() { upload.abort() }
}
