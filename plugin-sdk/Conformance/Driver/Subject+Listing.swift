import CCofferPlugin

/// What a listing asks for.
struct ListOptions: Sendable {
    var delimiter: Name = ""
    var startAfter: Name = ""
    var token: Name = ""
    var flags: UInt32 = 0
}

/// One listing in progress.
final class Lister {
    let subject: Subject
    private let stream: OpaquePointer
    private var isClosed = false
    /// The token that the latest page came with.
    private(set) var token: Name?
    private(set) var isDone = false

    init(_ subject: Subject, _ stream: OpaquePointer) {
        self.subject = subject
        self.stream = stream
    }

    func next(_ limit: UInt64, stopAfter: Int = .max, cancellation: Cancellation? = nil) throws -> [Entry] {
        let collector = Collector()
        collector.stopAfter = stopAfter
        var done: UInt32 = 0
        try subject.perform("", cancellation: cancellation) { call, error in
            collector.withSink {
                subject.ops.list_next?(stream, call, limit, &done, $0, error) ?? COFFER_E_UNSUPPORTED
            }
        }
        try expect(
            UInt64(collector.entries.count) <= limit,
            "at most \(limit) entries from list_next",
            got: "\(collector.entries.count)"
        )
        isDone = done != 0
        token = collector.values(COFFER_VAL_NEXT).last
        return collector.entries
    }

    /// One page into a collector of the caller, whatever it answers.
    func next(into collector: Collector, limit: UInt64, cancellation: Cancellation? = nil) throws {
        var done: UInt32 = 0
        try subject.perform("list_next", cancellation: cancellation) { call, error in
            collector.withSink {
                subject.ops.list_next?(stream, call, limit, &done, $0, error) ?? COFFER_E_UNSUPPORTED
            }
        }
        isDone = done != 0
    }

    func close() {
        if isClosed { return }
        isClosed = true
        subject.ops.list_close?(stream)
    }

    deinit { close() }
}

extension Subject {
    func openList(_ prefix: Name, _ options: ListOptions = ListOptions(), cancellation: Cancellation? = nil) throws
        -> Lister
    {
        let arena = Arena()
        var arguments = coffer_list_args()
        arguments.struct_size = UInt32(MemoryLayout<coffer_list_args>.size)
        arguments.flags = options.flags
        arguments.prefix = arena.string(prefix)
        arguments.delimiter = arena.string(options.delimiter)
        arguments.start_after = arena.string(options.startAfter)
        arguments.token = arena.string(options.token)
        let place = arena.place(arguments)
        var stream: OpaquePointer?
        var step = "list_open \(prefix)"
        if !options.delimiter.isEmpty { step += " delimiter \(options.delimiter)" }
        if !options.startAfter.isEmpty { step += " start_after \(options.startAfter)" }
        try perform(step, cancellation: cancellation) { call, error in
            ops.list_open?(instance, call, place, &stream, error) ?? COFFER_E_UNSUPPORTED
        }
        guard let stream else { throw Mismatch(expected: "a stream from list_open", got: "NULL", line: #line) }
        return Lister(self, stream)
    }

    /// Every entry under a prefix, read page by page.
    func list(_ prefix: Name, _ options: ListOptions = ListOptions(), page: UInt64 = 1000) throws -> [Entry] {
        let lister = try openList(prefix, options)
        defer { lister.close() }
        var all: [Entry] = []
        var idle = 0
        while !lister.isDone {
            let more = try lister.next(page)
            idle = more.isEmpty ? idle + 1 : 0
            try expect(idle < 1000, "the listing to end", got: "a thousand empty pages")
            all += more
        }
        return all
    }

    /// The keys under a prefix, without the trial's own, in the order given, or sorted where the store sorts nothing.
    func keys(_ prefix: Name, _ options: ListOptions = ListOptions(), page: UInt64 = 1000) throws -> [String] {
        let names = try list(prefix, options, page: page).map(\.key)
        let skipped = trial.prefix.utf8.count
        return (has(.sorted) ? names : names.sorted()).map {
            String(decoding: $0.bytes.dropFirst(skipped), as: UTF8.self)
        }
    }
}
