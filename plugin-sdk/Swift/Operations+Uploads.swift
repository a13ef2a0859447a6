// The extension coffer.upload/1: uploads in parts.

import CCofferPlugin

/// The table, which is the same for every backend: what stands behind an instance's pointer knows its own type.
///
/// Never written after it was made.
nonisolated(unsafe) let uploadTable: UnsafePointer<coffer_upload> = {
    var table = coffer_upload()
    table.struct_size = UInt32(MemoryLayout<coffer_upload>.size)
    table.create = { Operation.uploadCreate($0, $1, $2, $3, $4) }
    table.part = { Operation.uploadPart($0, $1, $2, $3, $4, $5, $6) }
    table.list_parts = { Operation.uploadListParts($0, $1, $2, $3, $4) }
    table.complete = { Operation.uploadComplete($0, $1, $2, $3, $4, $5, $6, $7, $8) }
    table.abort = { Operation.uploadAbort($0, $1, $2, $3) }
    table.list_uploads = { Operation.uploadList($0, $1, $2, $3, $4, $5) }
    let place = UnsafeMutablePointer<coffer_upload>.allocate(capacity: 1)
    place.initialize(to: table)
    return UnsafePointer(place)
}()

extension Operation {
    static func uploadCreate(
        _ i: Instance,
        _ c: CallPointer,
        _ a: UnsafePointer<coffer_write_args>?,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = try coffer_sink.read(s)
            try box.require(.resume, "an upload")
            let id = try box.backend.beginUpload(try box.writeRequest(a, call), call: call)
            do throws(BackendError) {
                try sink.value(COFFER_VAL_NEXT, .empty, id)
            } catch {
                // An upload that nobody knows of would stay for ever; what cannot be dropped now is dropped by age.
                try? box.backend.abortUpload(id, call: call)
                throw error
            }
        }
    }

    static func uploadPart(
        _ i: Instance,
        _ c: CallPointer,
        _ id: coffer_str,
        _ number: UInt32,
        _ size: Int64,
        _ r: UnsafeMutablePointer<OpaquePointer?>?,
        _ e: ErrorPointer
    ) -> coffer_status {
        r?.pointee = nil
        return onInstance(i, c, e) { box, call throws(BackendError) in
            guard let r, number > 0, size >= -1 else { throw nonsense("a part has a number from 1 and a size") }
            try box.require(.resume, "an upload")
            var request = PartRequest(upload: try ByteString(id, "an upload's id"), number: Int(number))
            request.size = size < 0 ? nil : UInt64(size)
            let stream = try box.backend.beginPart(request, call: call)
            r.pointee = handle(WriteBox(stream, host: box.host, left: request.size))
        }
    }

    static func uploadListParts(
        _ i: Instance,
        _ c: CallPointer,
        _ id: coffer_str,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            try box.require(.resume, "an upload")
            try box.backend.listParts(of: try ByteString(id, "an upload's id"), into: sink, call: call)
        }
    }

    static func uploadComplete(
        _ i: Instance,
        _ c: CallPointer,
        _ id: coffer_str,
        _ a: UnsafePointer<coffer_write_args>?,
        _ parts: UnsafePointer<coffer_upload_part>?,
        _ count: Int,
        _ stride: Int,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            try box.require(.resume, "an upload")
            let request = try box.writeRequest(a, call)
            let entry = try box.backend.completeUpload(
                try ByteString(id, "an upload's id"),
                request,
                parts: try uploadParts(parts, count: count, stride: stride),
                call: call
            )
            // The object is published: that the host looks no further cannot undo it.
            try? sink.send(entry)
        }
    }

    static func uploadAbort(_ i: Instance, _ c: CallPointer, _ id: coffer_str, _ e: ErrorPointer) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            try box.require(.resume, "an upload")
            try box.backend.abortUpload(try ByteString(id, "an upload's id"), call: call)
        }
    }

    static func uploadList(
        _ i: Instance,
        _ c: CallPointer,
        _ prefix: coffer_str,
        _ before: Int64,
        _ s: SinkPointer,
        _ e: ErrorPointer
    ) -> coffer_status {
        onInstance(i, c, e) { box, call throws(BackendError) in
            let sink = EntrySink(try coffer_sink.read(s))
            try box.require(.resume, "an upload")
            let request = UploadListRequest(prefix: try ByteString(prefix, "a prefix"), before: before)
            try box.backend.listUploads(request, into: sink, call: call)
        }
    }

    /// The parts of an upload, at least one, their numbers rising.
    private static func uploadParts(
        _ parts: UnsafePointer<coffer_upload_part>?,
        count: Int,
        stride: Int
    ) throws(BackendError) -> [UploadPart] {
        guard let parts, count > 0, count <= 1 << 20 else { throw nonsense("an upload has no parts or too many") }
        var result: [UploadPart] = []
        result.reserveCapacity(count)
        for index in 0..<count {
            let part: coffer_upload_part = try item(parts, index, stride: stride, least: 24)
            guard Int(part.number) > result.last?.number ?? 0 else {
                throw nonsense("the numbers of an upload's parts do not rise")
            }
            result.append(
                UploadPart(
                    number: Int(part.number),
                    etag: try ByteString(part.etag, "a part's tag"),
                    size: part.size < 0 ? nil : UInt64(part.size)
                )
            )
        }
        return result
    }
}
