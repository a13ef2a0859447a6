// One call into a plugin written in C, through everything that the host puts around it.
import CofferBackend
import CofferModel
import CofferPluginHost
import CofferSystem

extension Row {
    static let pluginCall = Row("plugin-call", "one thread on any core, in this process") { bench in
        let registry = PluginRegistry(
            folders: [],
            declared: [DeclaredPlugin(id: "tiny", path: try bench.peer("plugin"))]
        )
        let backend = try registry.open("tiny", storageName: "bench", options: [])
        defer { backend.close() }
        let call = Call()
        let writer = try backend.beginWrite(WriteRequest(key: "folder/object.dat", attempt: "bench"), call)
        _ = try writer.commit([], call)
        let request = ReadRequest(key: "folder/object.dat")
        let count = 100_000
        let figures = try interleaved(
            9,
            [
                Party("ours") {
                    try seconds { for _ in 0..<count { _ = try backend.stat(request, call) } } * 1e9 / Double(count)
                }
            ]
        )
        return [Line("stat of a C plugin with its wrapper", "ns", figures[0], .atMost(300))]
    }
}
