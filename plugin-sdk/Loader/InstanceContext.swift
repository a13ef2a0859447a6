import CofferJSON
import Glibc
import Synchronization

/// What the host knows of one opened store, and a plugin reaches through `host_instance`.
///
/// A plugin gets a number for it, never an address: one that is used after the store was closed finds nothing
/// instead of freed memory.
public final class InstanceContext: Sendable {
    /// The operator's name of the storage.
    public let storage: String
    private let options: [(name: String, value: String)]
    private let liveOption: @Sendable (String) -> String?
    private let liveNames: Set<String>
    private let secretNames: Set<String>
    private let secrets: Guarded<Set<String>>
    let number: UInt

    /// Creates a context; `options` are complete and checked.
    init(
        storage: String,
        options: [(name: String, value: String)],
        declared: [PluginOption],
        liveOption: @escaping @Sendable (String) -> String?
    ) {
        self.storage = storage
        self.options = options
        self.liveOption = liveOption
        liveNames = Set(declared.lazy.filter(\.isLive).map(\.name))
        secretNames = Set(declared.lazy.filter(\.isSecret).map(\.name))
        var secrets: Set<String> = []
        for option in options where secretNames.contains(option.name) {
            secrets.formUnion(InstanceContext.hidden(in: option.value))
        }
        self.secrets = Guarded(secrets)
        number = InstanceContext.next.add(1, ordering: .relaxed).newValue
        let number = number
        InstanceContext.table.withLock { $0[number] = Weak(self) }
    }

    deinit {
        let number = number
        InstanceContext.table.withLock { _ = $0.removeValue(forKey: number) }
    }

    /// The present value of an option; nil where it has none.
    func value(of name: String) -> String? {
        guard liveNames.contains(name), let value = liveOption(name) else {
            return options.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
        }
        if secretNames.contains(name) {
            secrets.withLock { $0.formUnion(InstanceContext.hidden(in: value)) }
        }
        return value
    }

    /// `text` with every secret that this store was given replaced by asterisks.
    public func masked(_ text: String) -> String {
        let secrets = secrets.withLock { $0 }
        guard !secrets.isEmpty else { return text }
        var bytes = Array(text.utf8)
        // The longest first: a secret may hold another one.
        for secret in secrets.map({ Array($0.utf8) }).sorted(by: { $0.count > $1.count }) {
            bytes = InstanceContext.replacing(secret, in: bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What must not be shown of a secret value: itself, and the strings of a list or map.
    private static func hidden(in value: String) -> [String] {
        // What is no JSON is a secret as it stands.
        let parsed = try? JSONValue(parsing: value)
        let parts =
            parsed?.arrayValue?.compactMap(\.stringValue)
            ?? parsed?.objectValue?.members.compactMap(\.value.stringValue) ?? []
        return ([value] + parts).filter { !$0.isEmpty }
    }

    private static func replacing(_ secret: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let first = rest.first {
            if rest.starts(with: secret) {
                result += Array("********".utf8)
                rest = rest.dropFirst(secret.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    // MARK: Found by number

    private struct Weak: @unchecked Sendable {
        weak var context: InstanceContext?
        init(_ context: InstanceContext) { self.context = context }
    }

    private static let next = Atomic<UInt>(0)
    private static let table = Guarded<[UInt: Weak]>([:])

    /// What a plugin sees as `host_instance`.
    var pointer: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: number) }

    /// The context of a plugin's `host_instance`; nil for one that is closed or made up.
    static func find(_ pointer: UnsafeMutableRawPointer?) -> InstanceContext? {
        guard let pointer else { return nil }
        return table.withLock { $0[UInt(bitPattern: pointer)]?.context }
    }
}
