public import CCofferPlugin

// Uploads in parts: the extension `coffer.upload/1`.

extension PluginInstance {
    /// Begins an upload; its id comes to the sink as `COFFER_VAL_NEXT`.
    public func createUpload(
        _ call: UnsafePointer<coffer_call>,
        _ arguments: UnsafePointer<coffer_write_args>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(library.uploads.create, "upload create")
        try perform { function(pointer, call, arguments, sink, $0) }
    }

    /// Begins a part of `size` bytes, or of an unknown number where that is -1.
    public func beginPart(
        _ call: UnsafePointer<coffer_call>,
        of upload: coffer_str,
        number: UInt32,
        size: Int64
    ) throws(PluginError) -> WriteHandle {
        let function = try function(library.uploads.part, "upload part")
        guard let closing = operations.write_close else {
            throw PluginError(COFFER_E_UNSUPPORTED, "the backend has no write_close")
        }
        var stream: OpaquePointer?
        try perform { function(pointer, call, upload, number, size, &stream, $0) }
        guard let stream else { throw PluginError(PluginError.brokenRule, "upload part gave no stream") }
        return WriteHandle(self, stream, closing)
    }

    /// Gives each part of an upload.
    public func listParts(
        _ call: UnsafePointer<coffer_call>,
        of upload: coffer_str,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(library.uploads.list_parts, "upload list_parts")
        try perform { function(pointer, call, upload, sink, $0) }
    }

    /// Publishes parts as an object.
    public func completeUpload(
        _ call: UnsafePointer<coffer_call>,
        _ upload: coffer_str,
        _ arguments: UnsafePointer<coffer_write_args>,
        _ parts: UnsafeBufferPointer<coffer_upload_part>,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(library.uploads.complete, "upload complete")
        let stride = MemoryLayout<coffer_upload_part>.stride
        try perform { function(pointer, call, upload, arguments, parts.baseAddress, parts.count, stride, sink, $0) }
    }

    /// Drops an upload.
    public func abortUpload(_ call: UnsafePointer<coffer_call>, _ upload: coffer_str) throws(PluginError) {
        let function = try function(library.uploads.abort, "upload abort")
        try perform { function(pointer, call, upload, $0) }
    }

    /// Gives each pending upload that began before a moment, in Unix nanoseconds.
    public func listUploads(
        _ call: UnsafePointer<coffer_call>,
        prefix: coffer_str,
        before: Int64,
        _ sink: UnsafePointer<coffer_sink>
    ) throws(PluginError) {
        let function = try function(library.uploads.list_uploads, "upload list_uploads")
        try perform { function(pointer, call, prefix, before, sink, $0) }
    }
}
