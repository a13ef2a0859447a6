// What an instance takes, it gives back: descriptors, threads and memory, a thousand times.

import CCofferPlugin
import CofferLoader
import CofferTestSupport
import Glibc
import Testing

@Suite("Leaks")
struct LeakTests {
    @Test("A thousand openings through the loader leave no descriptor and no thread", arguments: ["local", "memory"])
    func openings(id: String) async throws {
        try await withTemporaryDirectory { folder in
            // In a process of its own: other tests open and close beside this one.
            await #expect(processExitsWith: .success) { [folder = folder as String, id = id as String] in
                let library = try MemoryPlugins.library(id)
                // The local one sweeps behind the open: a leftover gives it something to do.
                let options =
                    id == "local" ? [(name: "root", value: folder), (name: "durability", value: "relaxed")] : []
                try use(library, options, folder)
                let before = try (names("/proc/self/fd").count, names("/proc/self/task").count)
                for _ in 0..<1000 { try use(library, options, folder) }
                // A thread that was joined leaves the kernel's list a little later; idle ones of the runtime go as well.
                var after = before
                let isBack = try eventually {
                    after = try (names("/proc/self/fd").count, names("/proc/self/task").count)
                    return after.0 <= before.0 && after.1 <= before.1
                }
                #expect(isBack, "\(before) became \(after)")
            }
        }
    }
}

/// Opens a store, writes, reads and lists, leaves a leftover for the next one, and closes it.
private func use(_ library: PluginLibrary, _ options: [(name: String, value: String)], _ folder: String) throws {
    var call = coffer_call()
    call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
    let store = try library.open(storage: "leak", options: options, call: &call)
    defer { store.close() }
    let instance = try #require(store.opened.instance)
    let local = LocalInstance(borrowing: instance, library.operations)
    try local.put("a/b", "x")
    #expect(try local.get("a/b") == Array("x".utf8) && local.keys() == ["a/b"])
    if !options.isEmpty { try write("", to: "\(folder)/.coffer/tmp/00000000deadbeef.orphan.1") }
}
