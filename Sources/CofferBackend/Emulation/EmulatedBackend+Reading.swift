// Reads: conditions by the token of what was opened, ranges by skipping, lengths checked.
package import CofferModel

extension EmulatedBackend {
    /// What is known of an object, if the conditions hold.
    package func stat(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        if native.readCondition || request.conditions.isEmpty { return try look(request, call) }
        var plain = request
        plain.conditions = .none
        let info = try look(plain, call)
        try request.conditions.checkForReading(info)
        return info
    }

    /// A stat by the store, or by opening where the store has none.
    private func look(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ObjectInfo {
        if native.stat { return try bare.stat(request, call) }
        var request = request
        request.range = .all
        request.wantsDescriptor = false
        let result = try bare.openRead(request, call)
        if case .stream(let stream) = result.body { stream.close() }
        var info = result.info
        info.size = info.size ?? result.range.upperBound
        return info
    }

    /// What is there under `key`, or nil.
    package func present(_ key: Key, _ call: Call) throws(CofferError) -> ObjectInfo? {
        do throws(CofferError) {
            return try look(ReadRequest(key: key), call)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// Opens an object for reading.
    ///
    /// Conditions that the store cannot check are compared with the token of what was really opened, so that nothing can
    /// come between; where a token is likely to match, a stat first saves opening what nobody will read.
    package func openRead(_ request: ReadRequest, _ call: Call) throws(CofferError) -> ReadResult {
        var asked = request
        let checks = !request.conditions.isEmpty && !native.readCondition
        if checks {
            asked.conditions = .none
            if request.conditions.ifNoneMatch != nil { _ = try stat(request, call) }
        }
        if !native.readRange {
            if request.range != .all { try standIn(for: .readRange, key: request.key) }
            asked.range = .all
        }
        let result = try bare.openRead(asked, call)
        do throws(CofferError) {
            if checks { try request.conditions.checkForReading(result.info) }
            if case .descriptor(let file) = result.body, !file.isSeekable, asked.range != request.range {
                // A pipe cannot be cut to the range by its offset; the stream can.
                asked.wantsDescriptor = false
                return try fitted(try bare.openRead(asked, call), to: request)
            }
            return try fitted(result, to: request)
        } catch {
            if case .stream(let stream) = result.body { stream.close() }
            throw error
        }
    }

    /// The answer cut to what was asked for, and measured.
    private func fitted(_ result: consuming ReadResult, to request: ReadRequest) throws(CofferError) -> ReadResult {
        let given = result.range
        let size = result.info.size ?? (native.readRange && request.range != .all ? nil : given.upperBound)
        let wanted = try size.map { size throws(CofferError) in try request.range.resolved(size: size) } ?? given
        guard given.lowerBound <= wanted.lowerBound, given.upperBound >= wanted.upperBound else {
            throw CofferError(
                .corrupt,
                "the store answered bytes \(given.lowerBound) to \(given.upperBound) "
                    + "where \(wanted.lowerBound) to \(wanted.upperBound) were asked for",
                key: request.key
            )
        }
        let skip = wanted.lowerBound - given.lowerBound
        result.range = wanted
        switch result.body {
        case .stream(let stream):
            result.body = .stream(
                MeasuredReadStream(
                    stream,
                    skip: skip,
                    length: wanted.upperBound - wanted.lowerBound,
                    endsWithStream: given.upperBound == wanted.upperBound,
                    key: request.key,
                    owner: self
                )
            )
        case .descriptor(var file):
            file.offset += skip
            result.body = .descriptor(file)
        }
        return result
    }
}
