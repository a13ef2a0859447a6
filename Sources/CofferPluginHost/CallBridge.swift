// Calls and texts as the ABI wants them, on the stack: a call that succeeds allocates nothing for its arguments.
import CCofferPlugin
import CofferBackend
import CofferLoader
import CofferModel
import CofferSystem

extension Call {
    /// Runs `body` with the call as the ABI sees it; its deadline is this step's own.
    ///
    /// With `sendsUnproven`, a condition goes to the store although the plugin cannot vouch for it.
    @inline(__always)
    func withABI<Result>(
        sendsUnproven: Bool = false,
        _ body: (UnsafePointer<coffer_call>) throws(PluginError) -> Result
    ) throws(PluginError) -> Result {
        guard !cancellation.isCancelled else { throw PluginError(COFFER_E_CANCELLED, "the call was cancelled") }
        var token = CallToken(
            object: Unmanaged.passUnretained(cancellation).toOpaque(),
            isCancelled: { cancellationOf($0)?.isCancelled ?? false ? 1 : 0 },
            descriptor: { cancellationOf($0)?.descriptor ?? -1 }
        )
        var call = coffer_call()
        call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
        if sendsUnproven { call.flags = COFFER_CALL_UNPROVEN }
        if let stepTimeout { call.deadline_ns = UInt64(max(1, MonotonicTime.now.nanoseconds + stepTimeout)) }
        defer { withExtendedLifetime(cancellation) {} }
        return try withUnsafeMutablePointer(to: &token) { (token) throws(PluginError) in
            call.token = UnsafeMutableRawPointer(token)
            guard !trace.isEmpty else { return try body(&call) }
            return try withTexts(capacity: trace.utf8.count + 1) { (texts) throws(PluginError) in
                call.trace = texts.keep(trace)
                return try body(&call)
            }
        }
    }
}

private func cancellationOf(_ object: UnsafeRawPointer?) -> Cancellation? {
    object.map { Unmanaged<Cancellation>.fromOpaque($0).takeUnretainedValue() }
}

/// Texts side by side, each with a NUL behind it, as R8 of the ABI promises to plugins.
struct Texts {
    private let base: UnsafeMutablePointer<CChar>?
    private let capacity: Int
    private var used = 0

    fileprivate init(_ buffer: UnsafeMutableBufferPointer<CChar>) {
        base = buffer.baseAddress
        capacity = buffer.count
    }

    /// Keeps `text`, for which the capacity was reckoned.
    @inline(__always)
    mutating func keep(_ text: String) -> coffer_str {
        var text = text
        return text.withUTF8 { bytes in
            guard let base, let source = bytes.baseAddress, !bytes.isEmpty else { return coffer_str(ptr: nil, len: 0) }
            precondition(used + bytes.count < capacity, "the capacity for texts was reckoned wrong")
            let start = base + used
            UnsafeMutableRawPointer(start).copyMemory(from: source, byteCount: bytes.count)
            start[bytes.count] = 0
            used += bytes.count + 1
            return coffer_str(ptr: UnsafePointer(start), len: bytes.count)
        }
    }

    /// Keeps `text` where there is one.
    @inline(__always)
    mutating func keep(_ text: String?) -> coffer_str {
        guard let text else { return coffer_str(ptr: nil, len: 0) }
        return keep(text)
    }
}

/// Runs `body` with room for texts of `capacity` bytes, their NULs included.
@inline(__always)
func withTexts<Result>(
    capacity: Int,
    _ body: (inout Texts) throws(PluginError) -> Result
) throws(PluginError) -> Result {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity + 1) { (buffer) throws(PluginError) in
        var texts = Texts(buffer)
        return try body(&texts)
    }
}

/// The bytes that ``Texts`` needs for `text`.
@inline(__always)
func room(_ text: String?) -> Int { text.map { $0.utf8.count + 1 } ?? 0 }
