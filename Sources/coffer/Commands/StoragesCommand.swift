import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer storages`.
    static let storages = CommandSpec(
        "storages",
        "[NAME]",
        0...1,
        "show the storages, or one with all that it can do",
        options: [OptionSpec("--probe", "prove what the store makes of conditions, with an object of our own")],
        completes: .storage
    ) { session, output throws(Failure) in
        let channel = session.channel
        let isProbing = session.arguments.has("--probe")
        guard let name = session.operands.first else {
            guard !isProbing else { throw .usage("storages: --probe wants a NAME", command: "storages") }
            let list = try about("storages") { () throws(CofferError) in try channel.storages() }
            if session.isJSON { output.document(list.encode()) } else { show(list, &output) }
            return 0
        }
        let storage = try about(name) { () throws(CofferError) in try channel.storage(name, probe: isProbing) }
        if session.isJSON { output.document(storage.encode()) } else { show(storage, &output) }
        return 0
    }
}

private func show(_ list: StorageList, _ output: inout Output) {
    var rows = [["", "NAME", "BACKEND", "STATE", "URL"]]
    for storage in list.storages {
        rows.append([storage.isDefault ? "*" : "", storage.name, storage.backend, storage.state, storage.url ?? "-"])
    }
    output.table(rows)
    for storage in list.storages {
        if let reason = storage.failure ?? storage.warning { output.line("\(storage.name): \(reason.message)") }
    }
}

private func show(_ storage: StorageInfo, _ output: inout Output) {
    var rows = [
        ["name", storage.name + (storage.isDefault ? " (default)" : "")],
        ["backend", storage.backend],
        ["state", storage.failure.map { "failed: \($0.message)" } ?? storage.state],
        ["url", storage.url ?? "-"],
        ["generation", String(storage.generation)],
    ]
    if let warning = storage.warning { rows.append(["warning", warning.message]) }
    for setting in storage.policy { rows.append([setting.name, setting.value]) }
    if let size = storage.limits.objectSize { rows.append(["largest object", ByteCount.text(size)]) }
    let facts = StoreFact.allCases.filter { storage.capabilities.facts.contains($0) }
    if !facts.isEmpty { rows.append(["facts", facts.map(\.rawValue).joined(separator: ", ")]) }
    output.table(rows)
    output.line("")
    output.table(
        Capability.allCases.map { capability in
            let entry = storage.capabilities[capability]
            return [capability.rawValue, entry.grade.rawValue, entry.reason ?? ""]
        }
    )
    guard let probe = storage.probe else { return }
    output.line("\nwhat the last probe found:")
    output.table(probe.map { ["  " + $0.capability, $0.verdict, $0.detail] })
}

extension Output {
    /// Writes rows with their columns aligned.
    mutating func table(_ rows: [[String]]) {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        for row in rows {
            var text = ""
            for (column, cell) in row.enumerated() where widths[column] > 0 {
                text += Help.padded(cell, widths[column]) + "  "
            }
            while text.utf8.last == 0x20 { text.removeLast() }
            line(text)
        }
    }
}
