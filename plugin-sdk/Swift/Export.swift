// From a Swift type to the descriptor and the tables that the host reads.

public import CCofferPlugin
import Glibc

/// Exports a backend: the whole body of `coffer_backend_entry_v1`.
///
/// Builds the descriptor and the tables once, on any thread, and gives the same answer each time. Nil, with the reason
/// in `error`, if the host speaks another major version.
public func exportBackend<Backend: StorageBackend>(
    _ type: Backend.Type,
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    do throws(BackendError) {
        return try Exports.shared.plugin(of: type, for: host)
    } catch {
        return refuse(error)
    }
    func refuse(_ reason: BackendError) -> UnsafePointer<coffer_plugin>? {
        _ = reason.report(to: error)
        return nil
    }
}

// Unchecked because all state is reached between `pthread_mutex_lock` and `unlock`; what is handed out never changes.
/// Everything that this image exports.
///
/// C functions carry no context and `open` has no instance yet, so each exported type gets a place, and each place has
/// functions of its own that know its number.
final class Exports: @unchecked Sendable {
    static let shared = Exports()

    /// One exported type.
    struct Export {
        let type: any StorageBackend.Type
        let traits: Capabilities
        let plugin: UnsafePointer<coffer_plugin>
        var host: UnsafePointer<coffer_host>
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var exports: [Export] = []
    /// The tables of all hosts that ever asked.
    private var hosts: [UnsafePointer<coffer_host>] = []

    private init() { pthread_mutex_init(mutex, nil) }

    /// What stands at a place; the entry made it before the host could know its functions.
    subscript(place: Int) -> Export {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return exports[place]
    }

    func plugin(
        of type: any StorageBackend.Type,
        for host: UnsafePointer<coffer_host>?
    ) throws(BackendError) -> UnsafePointer<coffer_plugin> {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let place = exports.firstIndex { ObjectIdentifier($0.type) == ObjectIdentifier(type) }
        let table = try copyHost(host)
        if let place {
            exports[place].host = table
            return exports[place].plugin
        }
        guard exports.count < Places.opens.count else {
            throw BackendError(.internal, "one image exports at most \(Places.opens.count) backends")
        }
        let description = type.description
        let plugin = makePlugin(description, place: exports.count)
        exports.append(Export(type: type, traits: description.capabilities, plugin: plugin, host: table))
        return plugin
    }

    /// The host's table as far as it was written, kept for ever, since instances hold it.
    ///
    /// The same host again makes no second copy.
    private func copyHost(_ host: UnsafePointer<coffer_host>?) throws(BackendError) -> UnsafePointer<coffer_host> {
        // Without a host there is nobody to log to; the descriptor is worth reading all the same.
        let table = host == nil ? coffer_host() : try readStruct(host, over: coffer_host())
        guard table.abi >> 16 == COFFER_ABI_CURRENT >> 16 else {
            throw BackendError(.unsupported, "the host speaks another major version of the plugin interface")
        }
        let known = hosts.first { present in
            withUnsafeBytes(of: table) { mine in
                mine.elementsEqual(UnsafeRawBufferPointer(start: present, count: mine.count))
            }
        }
        if let known { return known }
        let copy = UnsafeMutablePointer<coffer_host>.allocate(capacity: 1)
        copy.initialize(to: table)
        hosts.append(UnsafePointer(copy))
        return UnsafePointer(copy)
    }
}

/// Makes the static descriptor; it lives until the process ends.
private func makePlugin(_ description: PluginDescription, place: Int) -> UnsafePointer<coffer_plugin> {
    let options = UnsafeMutablePointer<coffer_option>.allocate(capacity: max(1, description.options.count))
    for (index, option) in description.options.enumerated() {
        (options + index).initialize(to: makeOption(option))
    }
    let operations = UnsafeMutablePointer<coffer_ops>.allocate(capacity: 1)
    operations.initialize(to: makeOperations(description.capabilities, open: Places.opens[place]))

    var plugin = coffer_plugin()
    plugin.magic = COFFER_MAGIC
    plugin.struct_size = UInt32(MemoryLayout<coffer_plugin>.size)
    plugin.abi = COFFER_ABI_CURRENT
    plugin.flags = description.wantsProcess ? COFFER_PLUGIN_WANTS_PROCESS : 0
    plugin.threads = description.threads.rawValue
    plugin.option_size = UInt32(MemoryLayout<coffer_option>.stride)
    plugin.caps = description.capabilities.rawValue
    plugin.id = immortal(description.id)
    plugin.version = immortal(description.version)
    plugin.name = immortal(description.name)
    plugin.license = immortal(description.licence)
    plugin.description = immortal(description.description)
    plugin.homepage = immortal(description.homepage)
    plugin.n_options = description.options.count
    plugin.options = UnsafePointer(options)
    plugin.ops = UnsafePointer(operations)
    if description.capabilities.contains(.resume) {
        plugin.get_extension = { id in
            guard let id, strcmp(id, COFFER_EXT_UPLOAD) == 0 else { return nil }
            return UnsafeRawPointer(uploadTable)
        }
    }
    plugin.shutdown = Places.shutdowns[place]
    let copy = UnsafeMutablePointer<coffer_plugin>.allocate(capacity: 1)
    copy.initialize(to: plugin)
    return UnsafePointer(copy)
}

private func makeOption(_ option: OptionDescription) -> coffer_option {
    var result = coffer_option()
    result.name = immortal(option.name)
    result.flags = option.flags.rawValue
    switch option.kind {
    case .string: result.type = COFFER_OPT_STRING
    case .integer: result.type = COFFER_OPT_INT
    case .boolean: result.type = COFFER_OPT_BOOL
    case .size: result.type = COFFER_OPT_SIZE
    case .duration: result.type = COFFER_OPT_DURATION
    case .choice(let words):
        result.type = COFFER_OPT_ENUM
        result.choices = immortal(words.joined(separator: "|"))
    case .path: result.type = COFFER_OPT_PATH
    case .url: result.type = COFFER_OPT_URL
    case .list: result.type = COFFER_OPT_LIST
    case .map: result.type = COFFER_OPT_MAP
    }
    result.default_value = option.defaultValue.flatMap { immortal($0) }
    result.doc = immortal(option.summary)
    result.min = option.bounds?.lowerBound ?? 0
    result.max = option.bounds?.upperBound ?? 0
    result.deprecated_alias = option.deprecatedAlias.flatMap { immortal($0) }
    return result
}

/// A C string that lives until the process ends, as the ABI asks.
private func immortal(_ text: String) -> UnsafePointer<CChar>? { strdup(text).map { UnsafePointer($0) } }

/// The functions of each place.
enum Places {
    typealias Open =
        @convention(c) (
            UnsafePointer<coffer_open_args>?, UnsafePointer<coffer_call>?, UnsafeMutablePointer<coffer_open_result>?,
            UnsafeMutablePointer<coffer_error>?
        ) -> coffer_status

    static let opens: [Open] = [
        { openInstance(0, $0, $1, $2, $3) }, { openInstance(1, $0, $1, $2, $3) }, { openInstance(2, $0, $1, $2, $3) },
        { openInstance(3, $0, $1, $2, $3) }, { openInstance(4, $0, $1, $2, $3) }, { openInstance(5, $0, $1, $2, $3) },
        { openInstance(6, $0, $1, $2, $3) }, { openInstance(7, $0, $1, $2, $3) },
    ]

    static let shutdowns: [@convention(c) () -> Void] = [
        { Exports.shared[0].type.shutdown() }, { Exports.shared[1].type.shutdown() },
        { Exports.shared[2].type.shutdown() }, { Exports.shared[3].type.shutdown() },
        { Exports.shared[4].type.shutdown() }, { Exports.shared[5].type.shutdown() },
        { Exports.shared[6].type.shutdown() }, { Exports.shared[7].type.shutdown() },
    ]
}
