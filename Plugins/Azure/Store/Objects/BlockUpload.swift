// An upload in blocks, several of which are on their way at once.

import CofferCrypto
import CofferParts
import CofferPluginSDK
import CofferTransport

/// Names of the blocks of one upload: nobody else's, since a blob has one heap of them for all that write to it.
struct BlockNames {
    private let prefix: String

    init() {
        prefix = hex((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// The id of a block, which is counted from 1: 48 bytes in Base64, as most programs make them, since the service
    /// wants all of a blob to be equally long.
    func id(_ number: Int) -> String {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, 15 - digits.utf8.count))
        return base64(Array("\(prefix)-\(zeros)\(digits)".utf8))
    }
}

/// An upload in blocks: unseen until it is committed.
///
/// What is not committed is dropped by the service, by the next commit of that name or within a week.
final class BlockUpload {
    private let draft: Draft
    private let stream: PartedStream<String>

    /// The most bytes on their way, if that is more than one block.
    private static let mostOnTheWay: UInt64 = 64 << 20

    /// Begins an upload; no I/O.
    init(_ draft: Draft) throws(BackendError) {
        self.draft = draft
        let (storage, key, names) = (draft.storage, draft.request.key, BlockNames())
        let plan = try BlockPlan(size: draft.request.size, preferred: storage.configuration.partSize)
        let most = max(1, Int(Self.mostOnTheWay / plan.size(ofBlock: 1)))
        stream = try PartedStream(
            lanes: min(storage.configuration.uploadConcurrency, most),
            mostParts: BlockPlan.mostBlocks,
            sizeOfPart: plan.size(ofBlock:)
        ) { number, body, call throws(BackendError) in
            let id = names.id(number)
            try storage.putBlock(id, of: key, body, call: call)
            return id
        }
    }

    func append(_ bytes: RawSpan, call: Call) throws(BackendError) { try stream.append(bytes, call: call) }

    /// Publishes the object.
    func commit(size: UInt64, checksums: Checksums, call: Call) throws(BackendError) -> Entry {
        let blocks = try stream.finish(call: call)
        return try draft.storage.commit(draft, blocks, size: size, checksums, call: call)
    }

    func close() { stream.close() }
}

extension AzureStorage {
    /// Sends one block.
    fileprivate func putBlock(
        _ id: String,
        of key: ByteString,
        _ body: [UInt8],
        call: Call
    ) throws(BackendError) {
        var headers = HTTPHeaders()
        addDigest(of: body, to: &headers)
        let query = "comp=block&blockid=\(percentEncoded(id.utf8))"
        let question = try request("PUT", key, query: query, headers: headers, body: body)
        try send(question, "writing a block of \(key)", call: call)
    }

    /// Makes an object of blocks.
    func commit(
        _ draft: Draft,
        _ blocks: [String],
        size: UInt64,
        _ checksums: Checksums,
        call: Call
    ) throws(BackendError) -> Entry {
        var headers = draft.headers
        ObjectHead.write(checksums, to: &headers)
        draft.mark(&headers)
        draft.addConditions(to: &headers)
        let body = Question.commit(blocks)
        headers["Content-Type"] = "application/xml"
        addDigest(of: body, to: &headers)
        var question = try request("PUT", draft.request.key, query: "comp=blocklist", headers: headers, body: body)
        question.answerTimeout = .seconds(600)
        let head = try draft.publish(question, call: call)
        return draft.published(head, size: size, checksums: checksums)
    }
}
