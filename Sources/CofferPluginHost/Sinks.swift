// Where a plugin's results arrive. Each sink lives on the caller's stack for one call; the C functions are formed
// outside any actor, because they run on whatever thread calls.
import CCofferPlugin
import CofferLoader
import CofferModel

/// Something that a plugin's results go into, through a pointer to it.
protocol Sink {
    /// The functions; `ctx` is set by ``withSink(_:_:)``.
    static var table: coffer_sink { get }
    /// The rule that the plugin broke, if it broke one.
    var broken: String? { get set }
}

/// Runs `body` with `sink` as the ABI sees it; a broken rule outranks whatever the plugin answered.
@inline(__always)
func withSink<S: Sink, Result>(
    _ sink: inout S,
    _ body: (UnsafePointer<coffer_sink>) throws(PluginError) -> Result
) throws(PluginError) -> Result {
    var table = S.table
    table.struct_size = UInt32(MemoryLayout<coffer_sink>.size)
    return try withUnsafeMutablePointer(to: &sink) { (sink) throws(PluginError) in
        table.ctx = UnsafeMutableRawPointer(sink)
        let result: Result
        do throws(PluginError) {
            result = try body(&table)
        } catch {
            if let broken = sink.pointee.broken { throw .broken(broken) }
            throw error
        }
        if let broken = sink.pointee.broken { throw .broken(broken) }
        return result
    }
}

/// Takes exactly one object.
struct ObjectSink: Sink {
    let expected: Key
    var info: ObjectInfo?
    var broken: String?

    init(_ expected: Key) { self.expected = expected }

    static var table: coffer_sink {
        var table = coffer_sink()
        table.on_entry = { context, entry in
            guard let sink = context?.assumingMemoryBound(to: ObjectSink.self) else { return 1 }
            return sink.pointee.take(entry)
        }
        return table
    }

    private mutating func take(_ pointer: UnsafePointer<coffer_entry>?) -> Int32 {
        guard let pointer, let entry = wholeEntry(pointer) else { return refuse("the plugin gave an entry of no size") }
        guard info == nil else { return refuse("the plugin gave two entries for one object") }
        do throws(BrokenEntry) {
            info = try ObjectInfo(entry, expected: expected)
        } catch {
            return refuse("the plugin gave an entry that breaks the rules: \(error.reason)")
        }
        return 0
    }

    private mutating func refuse(_ reason: String) -> Int32 {
        broken = reason
        return 1
    }

    /// Gives the object away; a rule is broken if none came.
    @inline(__always)
    mutating func object(isMaybeApplied: Bool = false) throws(PluginError) -> ObjectInfo {
        guard let info = info.take() else {
            throw .broken("the plugin gave no entry for \(expected.text)", isMaybeApplied: isMaybeApplied)
        }
        return info
    }
}

/// Takes named values of one kind.
struct ValueSink: Sink {
    let kind: UInt32
    var values: [(name: String, value: String)] = []
    var broken: String?

    init(_ kind: UInt32) { self.kind = kind }

    static var table: coffer_sink {
        var table = coffer_sink()
        table.on_value = { context, kind, name, value in
            guard let sink = context?.assumingMemoryBound(to: ValueSink.self) else { return 1 }
            return sink.pointee.take(kind, name, value)
        }
        return table
    }

    private mutating func take(_ kind: UInt32, _ name: coffer_str, _ value: coffer_str) -> Int32 {
        guard kind == self.kind else { return 0 }
        guard let name = name.copied, let value = value.copied, values.count < 1024 else {
            broken = "the plugin gave a value that is not UTF-8, or too many"
            return 1
        }
        values.append((name, value))
        return 0
    }
}

/// Takes the results of a batch.
struct BatchSink: Sink {
    var results: [PluginError?]
    var isAnswered: [Bool]
    var broken: String?

    init(count: Int) {
        results = Array(repeating: nil, count: count)
        isAnswered = Array(repeating: false, count: count)
    }

    static var table: coffer_sink {
        var table = coffer_sink()
        table.on_result = { context, index, error in
            guard let sink = context?.assumingMemoryBound(to: BatchSink.self) else { return 1 }
            return sink.pointee.take(index, error)
        }
        return table
    }

    private mutating func take(_ index: Int, _ error: UnsafePointer<coffer_error>?) -> Int32 {
        guard results.indices.contains(index), !isAnswered[index] else {
            broken = "the plugin gave a result for item \(index) twice, or for one that is not there"
            return 1
        }
        isAnswered[index] = true
        results[index] = error.flatMap { PluginError(copying: $0) }
        return 0
    }
}
