import CLoader
import CofferJSON
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
    /// The longest first: a secret may hold another one.
    private let secrets: Guarded<[[UInt8]]>
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
        secrets = Guarded([])
        number = InstanceContext.next.add(1, ordering: .relaxed).newValue
        for option in options where secretNames.contains(option.name) { hide(option.value) }
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
            hide(value)
        }
        return value
    }

    /// `text` with every secret that this store was given replaced by asterisks.
    public func masked(_ text: String) -> String {
        let secrets = secrets.withLock { $0 }
        var text = text
        let isClean = text.withUTF8 { bytes in
            secrets.allSatisfy { !InstanceContext.isIn(bytes, $0) }
        }
        if isClean { return text }
        var bytes = Array(text.utf8)
        for secret in secrets { bytes = InstanceContext.replacing(secret, in: bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Notes what must not be shown of a secret value: itself, and the strings of a list or map.
    private func hide(_ value: String) {
        // What is no JSON is a secret as it stands.
        let parsed = try? JSONValue(parsing: value)
        let parts =
            parsed?.arrayValue?.compactMap(\.stringValue)
            ?? parsed?.objectValue?.members.compactMap(\.value.stringValue) ?? []
        let hidden = ([value] + parts).map { Array($0.utf8) }.filter { !$0.isEmpty }
        secrets.withLock { secrets in
            for secret in hidden where !secrets.contains(secret) { secrets.append(secret) }
            secrets.sort { $0.count > $1.count }
        }
    }

    private static func isIn(_ bytes: UnsafeBufferPointer<UInt8>, _ secret: [UInt8]) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        return coffer_loader_contains(base, bytes.count, secret, secret.count) != 0
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
