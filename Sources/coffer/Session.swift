import CofferAPI
import CofferClient
import CofferModel

/// What a command works with: its arguments and the host.
struct Session {
    let arguments: Arguments
    let channel: HostChannel
    private var defaultStorage: String?

    init(_ arguments: Arguments) {
        self.arguments = arguments
        channel = HostChannel(path: SocketLocation.find(explicit: arguments.value("--socket")))
    }

    var isJSON: Bool { arguments.has("--json") }
    var operands: [String] { arguments.operands }

    /// The storage that `address` is in; the host is asked once which is the default.
    mutating func storage(of address: Address) throws(Failure) -> String {
        if let name = address.storage { return name }
        if let name = defaultStorage { return name }
        let channel = channel
        let list = try about("default storage") { () throws(CofferError) in try channel.storages() }
        guard let name = list.defaultStorage?.name else {
            let error = CofferError(.notFound, "the host has no storage; name one in its configuration")
            throw .operation(subject: "default storage", error)
        }
        defaultStorage = name
        return name
    }

    /// The object that `word` names.
    mutating func place(_ word: String) throws(Failure) -> Place { try place(Address(word)) }

    mutating func place(_ address: Address) throws(Failure) -> Place {
        guard !address.key.isEmpty else {
            throw .usage("\(address.storage ?? ""): names a storage; an object is storage:key", command: nil)
        }
        return Place(storage: try storage(of: address), key: Key(address.key))
    }

    /// What to do when a key is taken, as `--if-absent`, `--replace` and `--rename` say.
    func onConflict(_ command: String) throws(Failure) -> OnConflict? {
        let rules: [(name: String, rule: OnConflict)] = [
            ("--if-absent", .error), ("--replace", .replace), ("--rename", .rename),
        ]
        let given = rules.filter { arguments.has($0.name) }
        guard given.count <= 1 else {
            let names = given.map { $0.name }.joined(separator: " and ")
            throw .usage("\(command): \(names) exclude each other", command: command)
        }
        return given.first?.rule
    }

    static let conflictOptions = [
        OptionSpec("--if-absent", "fail if the key is taken"),
        OptionSpec("--replace", "put the new object in its place"),
        OptionSpec("--rename", "take a free name beside it"),
    ]
}

/// Runs several independent steps; each failure is told, and the first decides the exit status.
struct Steps {
    private var status: Int32 = 0

    mutating func attempt(_ body: () throws(Failure) -> Void) {
        do {
            try body()
        } catch {
            Output.tell(error.lines)
            if status == 0 { status = error.status }
        }
    }

    /// The exit status of all.
    var outcome: Int32 { status }
}
