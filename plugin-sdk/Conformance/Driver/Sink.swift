import CCofferPlugin

/// What a plugin said through a sink, copied while it said it.
final class Collector {
    var entries: [Entry] = []
    var values: [(kind: UInt32, key: Name, value: Name)] = []
    var results: [(index: Int, code: coffer_status)] = []
    /// After so many entries the sink asks the plugin to stop.
    var stopAfter = Int.max
    /// Calls that came although the sink had asked to stop.
    var callsAfterStop = 0

    private var hasStopped: Bool { entries.count >= stopAfter }

    func take(_ entry: Entry) -> Int32 {
        if hasStopped {
            callsAfterStop += 1
            return 1
        }
        entries.append(entry)
        return hasStopped ? 1 : 0
    }

    func values(_ kind: UInt32) -> [Name] { values.filter { $0.kind == kind }.map(\.value) }

    /// The table for one call; `size` is what it claims to be long.
    func withSink<Result>(
        size: Int = MemoryLayout<coffer_sink>.size,
        _ body: (UnsafePointer<coffer_sink>) -> Result
    ) -> Result {
        var sink = coffer_sink()
        sink.struct_size = UInt32(size)
        sink.ctx = Unmanaged.passUnretained(self).toOpaque()
        sink.on_entry = { context, entry in
            guard let context, let entry else { return 1 }
            return Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue().take(Entry(entry.pointee))
        }
        sink.on_value = { context, kind, key, value in
            guard let context else { return 1 }
            let collector = Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
            collector.values.append((kind, Name(bytes(key)), Name(bytes(value))))
            return 0
        }
        sink.on_result = { context, index, error in
            guard let context else { return 1 }
            let collector = Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
            collector.results.append((index, error?.pointee.code ?? COFFER_OK))
            return 0
        }
        // `self` outlives the call: the caller holds it.
        return withExtendedLifetime(self) { withUnsafePointer(to: &sink) { body($0) } }
    }
}
