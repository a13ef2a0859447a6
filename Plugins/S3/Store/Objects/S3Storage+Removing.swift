// Removing objects, one by one and many at once.

import CofferCrypto
package import CofferPluginSDK
import CofferTransport

extension S3Storage {
    package func remove(_ request: RemoveRequest, call: Call) throws(BackendError) {
        // The store answers the same whether there was anything: who wants to know has to look.
        if request.isStrict, try head(request.key, call: call) == nil {
            _ = try request.check(existing: nil)
        }
        var question = self.request("DELETE", request.key)
        if !request.ifMatch.isEmpty {
            question.headers.add("If-Match", request.ifMatch == "*" ? "*" : "\"\(request.ifMatch)\"")
        }
        let answer = try endpoint.send(question, call: call)
        guard !answer.head.isSuccess else { return }
        let refusal = Refusal(answer)
        if answer.status == 404 && refusal.code != "NoSuchBucket" {
            guard request.ifMatch.isEmpty else {
                throw BackendError(.precondition, "no such object: \(request.key)", native: 404)
            }
            return
        }
        throw refusal.error(answer, "removing \(request.key)", key: request.key)
    }

    package func removeBatch(
        _ requests: [RemoveRequest],
        results: BatchResults,
        call: Call
    ) throws(BackendError) {
        var batch: [(index: Int, key: ByteString)] = []
        for (index, request) in requests.enumerated() {
            // What the list of a batch cannot say goes alone.
            guard request.ifMatch.isEmpty, Question.escaped(request.key) != nil else {
                try removeAlone(request, index, results, call: call)
                continue
            }
            batch.append((index, request.key))
            if batch.count == 1000 {
                try removeTogether(batch, results, call: call)
                batch = []
            }
        }
        if !batch.isEmpty { try removeTogether(batch, results, call: call) }
    }

    private func removeAlone(
        _ request: RemoveRequest,
        _ index: Int,
        _ results: BatchResults,
        call: Call
    ) throws(BackendError) {
        try call.check()
        do throws(BackendError) {
            try remove(request, call: call)
        } catch {
            try results.report(index, error)
            return
        }
        try results.report(index)
    }

    private func removeTogether(
        _ batch: [(index: Int, key: ByteString)],
        _ results: BatchResults,
        call: Call
    ) throws(BackendError) {
        guard let body = Question.delete(batch.map(\.key)) else {
            throw BackendError(.internal, "a key has no place in XML")
        }
        var question = HTTPRequest("POST", configuration.place.containerPath + "?delete", body: body)
        question.headers.add("Content-Type", "application/xml")
        // Some digest must be there; the oldest is known to all.
        addChecksum(configuration.checksum == .none ? .md5 : configuration.checksum, of: body, to: &question.headers)
        question.repetition = .always
        question.judge = hiddenError
        let answer = try send(question, "removing \(batch.count) objects", call: call)
        guard let failures = Answer.failedRemovals(answer.body) else {
            throw BackendError(.io, "the store's answer to a batch is no list of results")
        }
        var codes: [ByteString: String] = [:]
        for failure in failures where failure.code != "NoSuchKey" { codes[failure.key] = failure.code }
        for (index, key) in batch {
            guard let code = codes[key] else {
                try results.report(index)
                continue
            }
            try results.report(index, Refusal.error(code: code, "removing \(key)"))
        }
    }

    /// Adds the header by which the store verifies a body; answers its element in a list of parts.
    @discardableResult
    func addChecksum(
        _ mode: Configuration.ChecksumMode,
        of body: [UInt8],
        to headers: inout HTTPHeaders
    ) -> (element: String, value: String)? {
        switch mode {
        case .none: return nil
        case .md5:
            headers["Content-MD5"] = base64(Digest.of(body, .md5))
            return nil
        case .crc32c:
            let value = base64(Digest.of(body, .crc32c))
            headers["x-amz-checksum-crc32c"] = value
            headers["x-amz-sdk-checksum-algorithm"] = "CRC32C"
            return ("ChecksumCRC32C", value)
        case .sha256:
            let value = base64(Digest.of(body, .sha256))
            headers["x-amz-checksum-sha256"] = value
            headers["x-amz-sdk-checksum-algorithm"] = "SHA256"
            return ("ChecksumSHA256", value)
        }
    }
}
