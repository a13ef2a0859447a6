// Listings that do not fit into the memory that they may take.

import CCofferPlugin
import CofferTestSupport
import Glibc
import Testing

@testable import CofferPluginSDK
@testable import LocalBackend

/// Whether this run takes its time: `COFFER_SCALE=full`.
let isFullScale = getenv("COFFER_SCALE").map { String(cString: $0) } == "full"

@Suite("Local scale")
struct LocalScaleTests {
    @Test("Names that are sorted through files come in the order of sort, and leave nothing behind", arguments: [0, 1])
    func spilledNames(sharding: Int) throws {
        try withTemporaryDirectory { folder in
            let root = "\(folder)/root"
            mkdir(root, 0o755)
            var settings = Store.Settings()
            // A few hundred names: dozens of runs to merge.
            settings.listingBudget = 16 << 10
            settings.isDurable = false
            settings.layout = Layout(levels: sharding)
            let opened = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            let store = try Store(root: Descriptor(opened), settings: settings)
            var keys = ""
            for number in 0..<9_000 {
                let key = "\(number % 3 == 0 ? "d-\(number % 2)/" : "")\(number &* 7919 % 10_007)\u{E9}\(number)"
                keys += key + "\n"
                let place = try settings.layout.place(of: Array(key.utf8))
                _ = try store.makeParent(of: place)
                try write("", to: "\(root)/\(String(decoding: place.path.dropLast(), as: UTF8.self))")
            }
            try write(keys, to: "\(folder)/keys")
            let sorted = try run(["sort", "\(folder)/keys"], environment: ["LC_ALL": "C"], in: folder)
            try #require(sorted.code == 0)

            let gathered = Gathered()
            let listing = Listing(of: store, ListRequest())
            let sink = EntrySink(gathered.sink())
            try withHost { call in
                while true {
                    guard case .more = try listing.next(limit: 100, into: sink, call: call) else { return }
                }
            }
            let listed = gathered.objects.map { $0.key + "\n" }.joined()
            #expect(listed.utf8.elementsEqual(sorted.output.utf8))
            #expect(try names("\(root)/.coffer/tmp").filter { !$0.hasSuffix(".lock") } == [])
        }
    }

    /// Runs `body` with a call of a host that has nothing to say.
    private func withHost(_ body: (Call) throws -> Void) rethrows {
        let host = UnsafeMutablePointer<coffer_host>.allocate(capacity: 1)
        host.initialize(to: coffer_host())
        defer { host.deallocate() }
        try body(Call(host: host, nil))
    }

    @Test("A hundred thousand keys of one directory, a million at full scale, are listed in less than 64 MiB")
    func manyKeys() async throws {
        // Under a sanitizer the memory says nothing, and each file costs tenfold.
        let count = isFullScale ? 1_000_000 : isSanitized ? 20_000 : 100_000
        // Memory where there is some: what is measured is the listing, not the disk.
        try await withTemporaryDirectory(in: access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") { root in
            for number in 0..<count {
                close(open("\(root)/\(name(number))", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
            }
            await #expect(processExitsWith: .success) { [root = root as String, count = count as Int] in
                let local = try LocalInstance(root)
                #expect(try local.keys(prefix: "none") == [])
                let before = try residentBytes()
                let seen = try local.countKeys()
                #expect(seen.count == count && seen.isSorted)
                // The high-water mark since the start of this process, in which nothing else happened.
                let grown = try residentBytes() - before
                // A sanitizer keeps what was freed, and a shadow of everything.
                #expect(grown < 64 << 20 || isSanitized, "\(grown) bytes")
            }
        }
    }

    private func name(_ number: Int) -> String {
        // Long names: the everyday run goes through files too.
        let digits = String(number &* 7_919 % 1_000_003)
        return digits + "-" + String(repeating: "n", count: isFullScale ? 8 : 230)
    }
}

/// The most memory that this process ever had.
private func residentBytes() throws -> Int {
    let text = try #require(readWholeFile("/proc/self/status"))
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber))) << 10
}

extension LocalInstance {
    /// Lists everything, and keeps nothing of it.
    fileprivate func countKeys() throws -> Tally {
        var arguments = coffer_list_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_list_args>.size)
        var stream: OpaquePointer?
        try Self.check { operations.list_open?(instance, $1, &arguments, &stream, $0) ?? COFFER_E_UNSUPPORTED }
        defer { operations.list_close?(stream) }
        let tally = Tally()
        var sink = coffer_sink()
        sink.struct_size = UInt32(MemoryLayout<coffer_sink>.size)
        sink.ctx = Unmanaged.passUnretained(tally).toOpaque()
        sink.on_entry = { context, entry in
            guard let context, let key = entry?.pointee.key else { return 1 }
            Unmanaged<Tally>.fromOpaque(context).takeUnretainedValue().add(
                UnsafeRawBufferPointer(start: key.ptr, count: key.len)
            )
            return 0
        }
        var done: UInt32 = 0
        while done == 0 {
            try Self.check { operations.list_next?(stream, $1, 1000, &done, &sink, $0) ?? COFFER_E_UNSUPPORTED }
        }
        return withExtendedLifetime(tally) { tally }
    }
}

/// How many keys came, and whether in order.
private final class Tally {
    private(set) var count = 0
    private(set) var isSorted = true
    private var last: [UInt8] = []

    func add(_ key: UnsafeRawBufferPointer) {
        if count > 0 && !last.lexicographicallyPrecedes(key) { isSorted = false }
        last.removeAll(keepingCapacity: true)
        last.append(contentsOf: key)
        count += 1
    }
}
