// Plugins that cannot serve: one clear error for each, and a host that lives on with everything else.
import CofferJSON
import CofferTestSupport
import Glibc
import Testing

@Suite struct BadPluginTests {
    /// One way to be bad, and the words that tell it.
    private struct Badness: Sendable {
        var id: String
        var reason: String
        /// Puts the library at the path; nil for no library at all.
        var make: (@Sendable (String) throws -> Void)?
    }

    private static func compiled(_ id: String, _ flags: [String], _ reason: String) -> Badness {
        Badness(id: id, reason: reason) { try compilePlugin("bad.c", to: $0, ["-DID=\"\(id)\""] + flags) }
    }

    private static let all: [Badness] = [
        Badness(id: "missing", reason: "there is no such file", make: nil),
        Badness(id: "text", reason: "it is not an ELF file") { try write(Array("#!/bin/sh\n".utf8), to: $0) },
        Badness(id: "foreign", reason: "it is made for aarch64, this host runs on") { try write(foreignELF, to: $0) },
        compiled("noentry", ["-DNO_ENTRY"], "it does not export coffer_backend_entry_v1 itself"),
        Badness(id: "borrowed", reason: "it does not export coffer_backend_entry_v1 itself") { path in
            let folder = String(path.dropLast("/borrowed.so".utf8.count))
            try compilePlugin("bad.c", to: "\(folder)/libreal.so")
            let link = ["-Wl,--no-as-needed", "-L\(folder)", "-lreal", "-Wl,-rpath,\(folder)"]
            try compilePlugin("bad.c", to: path, ["-DNO_ENTRY"] + link)
        },
        compiled("undefined", ["-DUNDEFINED"], "undefined symbol: a_function_that_nobody_has"),
        compiled("major", ["-DABI=0x20003"], "it speaks ABI 2.3, this host speaks 1.0"),
        compiled("magic", ["-DMAGIC=0x1234"], "its descriptor begins with 0x1234"),
        compiled("refuses", ["-DREFUSE"], "it refuses: this kernel is too old"),
        Badness(id: "writable", reason: "everybody may write to it") { path in
            try compilePlugin("bad.c", to: path, ["-DID=\"writable\""])
            chmod(path, 0o666)
        },
        compiled("types", ["-DTYPE=99"], "the option number has an unknown type, 99"),
        compiled("wrongdefault", ["-DDEFAULT=\"many\""], "which is not a whole number"),
        compiled("liar", ["-DCAPS=COFFER_CAP_WRITE"], "it declares write and lacks write_begin"),
        compiled("othername", ["-DID=\"somebody\""], "its id is somebody, it was declared as othername"),
    ]

    /// The head of an ELF file for another machine.
    private static var foreignELF: [UInt8] {
        var head = [UInt8](repeating: 0xFF, count: 64)
        head.replaceSubrange(0..<7, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1])
        head.replaceSubrange(16..<20, with: [3, 0, 183, 0])
        return head
    }

    @Test func eachFailsAloneWithItsFileAndItsReason() throws {
        try withTemporaryDirectory { folder in
            var configuration = HostProcess.plugins
            for bad in Self.all {
                try bad.make?("\(folder)/\(bad.id).so")
                configuration += "  \(bad.id): \(folder)/\(bad.id).so\n"
            }
            configuration += "storages:\n  good: { backend: memory, on_conflict: replace }\n"
            for bad in Self.all { configuration += "  s-\(bad.id): { backend: \(bad.id), whatever: 1 }\n" }
            try withHost(configuration) { host in
                let connection = try RawConnection(host.socket)
                try connection.put("good", "k", "v")
                let health = try connection.request("GET", "/v1/health").json()
                #expect(health["status"]?.stringValue == "degraded")
                let states = health["storages"]?.arrayValue ?? []
                let plugins = try connection.request("GET", "/v1/plugins").json()["plugins"]?.arrayValue ?? []
                for bad in Self.all {
                    let path = "\(folder)/\(bad.id).so"
                    let state = states.first { $0["name"]?.stringValue == "s-\(bad.id)" }
                    let words = state?["problem"]?["detail"]?.stringValue ?? ""
                    #expect(state?["state"]?.stringValue == "failed", "\(bad.id)")
                    #expect(words.contains(path) && words.contains(bad.reason), "\(bad.id): \(words)")
                    let plugin = plugins.first { $0["id"]?.stringValue == bad.id }
                    let listed = plugin?["problem"]?["detail"]?.stringValue ?? ""
                    #expect(plugin?["state"]?.stringValue == "failed", "\(bad.id)")
                    #expect(listed.contains(path) && listed.contains(bad.reason), "\(bad.id): \(listed)")
                    let use = try connection.request("GET", "/v1/storages/s-\(bad.id)/objects/k")
                    #expect(use.status == 503, "\(bad.id): \(use.status)")
                    #expect(use.text.contains(bad.reason), "\(bad.id): \(use.text)")
                    #expect(host.log.contains(bad.reason), "\(bad.id)")
                }
                #expect(states.first { $0["name"]?.stringValue == "good" }?["state"]?.stringValue == "open")
                #expect(try connection.get("good", "k") == "v")
            }
        }
    }

    @Test func aPluginThatPromisesMoreThanItDeclaresIsRefusedAtItsOpening() throws {
        try withTemporaryDirectory { folder in
            try compilePlugin("tiny.c", to: "\(folder)/tiny.so")
            let configuration =
                HostProcess.plugins + "  tiny: \(folder)/tiny.so\n"
                + "storages:\n  liar: { backend: tiny, misbehave: promise }\n  honest: { backend: tiny }\n"
            try withHost(configuration) { host in
                let connection = try RawConnection(host.socket)
                try connection.put("honest", "k", "v")
                let liar = try connection.request("GET", "/v1/storages/liar").json()
                #expect(liar["state"]?.stringValue == "failed", "\(liar)")
                #expect(try connection.get("honest", "k") == "v")
            }
        }
    }

    @Test func theSecondOfAnIdIsListedAndTheFirstServes() throws {
        try withTemporaryDirectory { folder in
            let manifest =
                #"{"manifest_version": 1, "id": "memory", "version": "9.9", "abi": "1.0", "license": "0BSD", "#
                + #""library": {"x86_64": "libnothing.so", "aarch64": "libnothing.so"}, "capabilities": ["read"]}"#
            try write(Array(manifest.utf8), to: "\(folder)/memory.backend.json")
            let environment = ["COFFER_PLUGIN_PATH": folder]
            try withHost("storages: { m: { backend: memory } }\n", environment: environment) { host in
                let connection = try RawConnection(host.socket)
                try connection.put("m", "k", "v")
                let plugins = try connection.request("GET", "/v1/plugins").json()["plugins"]?.arrayValue ?? []
                let second = plugins.first { $0["source"]?.stringValue == "\(folder)/memory.backend.json" }
                #expect(second?["state"]?.stringValue == "failed", "\(plugins)")
                let words = second?["problem"]?["detail"]?.stringValue ?? ""
                #expect(words.contains("the id memory is taken by \(HostProcess.buildFolder)"), "\(words)")
            }
        }
    }

    @Test func aSwitchToABadPluginIsRefusedAndTheOldGenerationStays() throws {
        try withTemporaryDirectory { folder in
            try compilePlugin("bad.c", to: "\(folder)/bad.so", ["-DREFUSE"])
            let configuration =
                HostProcess.plugins + "  bad: \(folder)/bad.so\n"
                + "storages: { s: { backend: memory, on_conflict: replace } }\n"
                + "profiles: { worse: { storages: { t: { backend: bad } } } }\n"
            try withHost(configuration) { host in
                let connection = try RawConnection(host.socket)
                try connection.put("s", "k", "v")
                let refused = try connection.request("POST", "/v1/profiles/worse/activate")
                #expect(refused.status == 502, "\(refused.status)")
                #expect(
                    refused.text.contains("\(folder)/bad.so: it refuses: this kernel is too old"),
                    "\(refused.text)"
                )
                #expect(try connection.request("GET", "/v1/health").json()["generation"]?.integerValue == 1)
                #expect(try connection.get("s", "k") == "v")
                #expect(try connection.request("GET", "/v1/storages/t").status == 404)
            }
        }
    }

    @Test func whatIsPutRightOpensByItself() throws {
        try withTemporaryDirectory { folder in
            let configuration =
                HostProcess.plugins + "  tiny: \(folder)/tiny.so\n" + "storages: { late: { backend: tiny } }\n"
            try withHost(configuration) { host in
                let connection = try RawConnection(host.socket)
                #expect(try connection.request("PUT", "/v1/storages/late/objects/k", body: [1]).status == 503)
                try compilePlugin("tiny.c", to: "\(folder)/new.so")
                rename("\(folder)/new.so", "\(folder)/tiny.so")
                let isOpen = try eventually {
                    try connection.request("GET", "/v1/health").json()["status"]?.stringValue == "ok"
                }
                #expect(isOpen, "\(host.log)")
                try connection.put("late", "k", "v")
                #expect(try connection.request("GET", "/v1/health").json()["generation"]?.integerValue == 1)
            }
        }
    }

    @Test func aReloadTakesWhatWasPutRight() throws {
        try withTemporaryDirectory { folder in
            try write(Array("no library".utf8), to: "\(folder)/tiny.so")
            let configuration =
                "plugins: [\(folder)/tiny.so, \(HostProcess.buildFolder)/libcoffer-memory.so]\n"
                + "storages: { m: { backend: memory } }\n"
            try withHost(configuration) { host in
                let connection = try RawConnection(host.socket)
                let text = configuration + "profiles: {}\n"
                try host.write(configuration: text.replacing("{ m:", with: "{ late: { backend: tiny }, m:"))
                let unknown = try connection.request("POST", "/v1/reload")
                #expect(unknown.status == 422, "\(unknown.text)")
                try compilePlugin("tiny.c", to: "\(folder)/new.so")
                rename("\(folder)/new.so", "\(folder)/tiny.so")
                #expect(try connection.request("POST", "/v1/reload").status == 200)
                try connection.put("late", "k", "v")
            }
        }
    }

    @Test func anotherFileForTheSameIdIsTakenAtAReload() throws {
        try withTemporaryDirectory { folder in
            try compilePlugin("tiny.c", to: "\(folder)/one.so")
            try compilePlugin("tiny.c", to: "\(folder)/two.so")
            func text(_ name: String) -> String {
                HostProcess.plugins + "  tiny: \(folder)/\(name).so\nstorages: { t: { backend: tiny } }\n"
            }
            try withHost(text("one")) { host in
                let connection = try RawConnection(host.socket)
                try connection.put("t", "k", "v")
                #expect(try connection.request("POST", "/v1/reload").status == 200)
                #expect(try connection.get("t", "k") == "v")
                try host.write(configuration: text("two"))
                #expect(try connection.request("POST", "/v1/reload").status == 200)
                #expect(try connection.get("t", "k") == nil)
            }
        }
    }

    @Test(arguments: [
        ("storages:\n  s: { backend: locall }\n", ":6:17: error: ", ["locall", "fault", "local", "memory"]),
        ("storages:\n  s: { backend: memory, size: much }\n", ":6:31: error: ", ["size", "much"]),
        ("storages:\n  s: { backend: memory, sise: 1 }\n", ":6:25: error: ", ["sise", "size"]),
    ])
    func whatTheTextGetsWrongIsNamedWithItsPlace(text: String, place: String, words: [String]) throws {
        try withTemporaryDirectory { folder in
            let host = try HostProcess(in: folder, configuration: text)
            let refused = #expect(throws: HostProcess.Failure.self) { try host.start() }
            let log = refused?.description ?? ""
            #expect(log.contains("the host ended with 7"), "\(log)")
            #expect(log.contains("\(folder)/coffer.yaml\(place)"), "\(log)")
            for word in words { #expect(log.contains(word), "\(word): \(log)") }
        }
    }

    @Test func aWallThatIsNotThereIsRefused() throws {
        try withTemporaryDirectory { folder in
            let library = "\(HostProcess.buildFolder)/libcoffer-memory.so"
            let text =
                "plugins:\n  memory: { path: \(library), isolation: process }\nstorages: { m: { backend: memory } }\n"
            let host = try HostProcess(in: folder, configuration: text)
            let refused = #expect(throws: HostProcess.Failure.self) { try host.start() }
            #expect(refused?.description.contains("the host ended with 7") == true)
            #expect(
                refused?.description.contains("\"isolation: process\" is not supported by this version") == true,
                "\(refused?.description ?? "")"
            )
        }
    }
}
