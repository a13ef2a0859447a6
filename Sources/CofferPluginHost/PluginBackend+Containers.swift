import CCofferPlugin
import CofferBackend
import CofferLoader
import CofferModel

extension PluginBackend {
    func listContainers(_ call: Call) throws(CofferError) -> [Container] {
        try require(COFFER_CAP_CONTAINERS)
        var sink = ContainerSink()
        try telling { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                try withSink(&sink) { (to) throws(PluginError) in try instance.listContainers(call, to) }
            }
        }
        return sink.containers
    }

    func makeContainer(_ name: String, _ call: Call) throws(CofferError) {
        try naming(name, call) { (call, name) throws(PluginError) in
            try instance.makeContainer(call, name, UnsafeBufferPointer(start: nil, count: 0))
        }
    }

    func removeContainer(_ name: String, _ call: Call) throws(CofferError) {
        try naming(name, call) { (call, name) throws(PluginError) in try instance.removeContainer(call, name) }
    }

    private func naming(
        _ name: String,
        _ call: Call,
        _ body: (UnsafePointer<coffer_call>, coffer_str) throws(PluginError) -> Void
    ) throws(CofferError) {
        try require(COFFER_CAP_CONTAINERS)
        try telling { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                try withTexts(capacity: room(name)) { (texts) throws(PluginError) in
                    try body(call, texts.keep(name))
                }
            }
        }
    }
}

/// Takes the containers of a store.
private struct ContainerSink: Sink {
    /// What no account has, and memory can still hold.
    private static let limit = 1_000_000

    var containers: [Container] = []
    var broken: String?

    static var table: coffer_sink {
        var table = coffer_sink()
        table.on_entry = { context, entry in
            guard let sink = context?.assumingMemoryBound(to: ContainerSink.self), let entry else { return 1 }
            return sink.pointee.take(entry)
        }
        return table
    }

    private mutating func take(_ pointer: UnsafePointer<coffer_entry>) -> Int32 {
        guard let entry = wholeEntry(pointer) else { return refuse("an entry of no size") }
        guard entry.kind == COFFER_KIND_CONTAINER else { return refuse("an entry of kind \(entry.kind)") }
        guard containers.count < Self.limit else { return refuse("more than \(Self.limit)") }
        guard let name = entry.key.copied, (1...Key.maximumLength).contains(name.utf8.count) else {
            return refuse("a name that is empty, too long or not UTF-8")
        }
        let created = entry.ctime_ns == .min ? nil : Timestamp(nanoseconds: entry.ctime_ns)
        containers.append(Container(name: name, created: created))
        return 0
    }

    private mutating func refuse(_ what: String) -> Int32 {
        broken = "the plugin gave, among its containers, \(what)"
        return 1
    }
}
