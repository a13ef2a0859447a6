import CCofferPlugin

/// Reads what an entry gave: a stranger's structs of a stranger's size.
///
/// 1. Nothing at or past a struct's own size is read; what is missing is zero.
/// 2. An array is walked by its own stride.
/// 3. What breaks a rule is named in a ``LoadError``.
struct Negotiation {
    let description: PluginDescription
    let operations: coffer_ops
    let threads: UInt32
    let getExtension: (@convention(c) (UnsafePointer<CChar>?) -> UnsafeRawPointer?)?
    let shutdown: (@convention(c) () -> Void)?
    /// The extension `coffer.upload/1`; one that the plugin does not have has no functions.
    let uploads: coffer_upload

    init(_ path: String, _ plugin: UnsafePointer<coffer_plugin>) throws(LoadError) {
        let raw = UnsafeRawPointer(plugin)
        let magic = raw.load(as: UInt32.self)
        guard magic == COFFER_MAGIC else {
            throw LoadError(path, .magic, "its descriptor begins with 0x\(String(magic, radix: 16)), not with CFFR")
        }
        let size = Int(raw.load(fromByteOffset: 4, as: UInt32.self))
        guard size >= 12 else { throw LoadError(path, .descriptor, "its descriptor has only \(size) bytes") }
        let abi = raw.load(fromByteOffset: 8, as: UInt32.self)
        guard abi >> 16 == COFFER_ABI_CURRENT >> 16 else {
            throw LoadError(
                path,
                .major,
                "it speaks ABI \(versionText(abi)), this host speaks \(versionText(COFFER_ABI_CURRENT))"
            )
        }
        let descriptor = copied(raw, size, into: coffer_plugin())
        guard let table = descriptor.ops else {
            throw LoadError(path, .descriptor, "its descriptor has no operations")
        }
        operations = copied(UnsafeRawPointer(table), Int(table.pointee.struct_size), into: coffer_ops())
        guard operations.open != nil, operations.close != nil else {
            throw LoadError(path, .descriptor, "it has no open or no close")
        }
        guard descriptor.threads <= COFFER_THREADS_SERIAL_PLUGIN else {
            throw LoadError(path, .descriptor, "it asks for threads in an unknown way, \(descriptor.threads)")
        }
        let id = text(descriptor.id)
        guard PluginDescription.isValidID(id) else {
            throw LoadError(path, .descriptor, "its id \"\(id)\" is not [a-z][a-z0-9-]{0,31}")
        }
        var description = PluginDescription(id: id, version: text(descriptor.version), abi: versionText(abi))
        description.name = text(descriptor.name)
        description.license = text(descriptor.license)
        description.summary = text(descriptor.description)
        description.homepage = text(descriptor.homepage)
        description.capabilities = CapabilityBits(rawValue: descriptor.caps)
        description.wantsProcess = descriptor.flags & COFFER_PLUGIN_WANTS_PROCESS != 0
        description.options = try Negotiation.options(path, descriptor)
        if let problem = description.optionProblem { throw LoadError(path, .options, problem) }
        self.description = description
        threads = descriptor.threads
        getExtension = descriptor.get_extension
        shutdown = descriptor.shutdown
        if let table = getExtension?(COFFER_EXT_UPLOAD) {
            uploads = copied(table, Int(table.load(as: UInt32.self)), into: coffer_upload())
        } else {
            uploads = coffer_upload()
        }
        if let problem = capabilityProblem { throw LoadError(path, .capabilities, problem) }
    }

    private static func options(_ path: String, _ descriptor: coffer_plugin) throws(LoadError) -> [PluginOption] {
        guard descriptor.n_options > 0 else { return [] }
        let stride = Int(descriptor.option_size)
        let least = MemoryLayout<coffer_option>.offset(of: \.default_value) ?? 0
        guard let base = descriptor.options, stride >= least, descriptor.n_options <= 1024 else {
            throw LoadError(path, .options, "its option table is missing, too long or has a stride of \(stride)")
        }
        var options: [PluginOption] = []
        for index in 0..<descriptor.n_options {
            let raw = copied(UnsafeRawPointer(base) + index * stride, stride, into: coffer_option())
            let name = text(raw.name)
            guard let kind = kind(of: raw.type) else {
                throw LoadError(path, .options, "the option \(name) has an unknown type, \(raw.type)")
            }
            var option = PluginOption(name, kind)
            if option.isOpen && raw.flags & COFFER_OPTF_OPEN == 0 {
                throw LoadError(path, .options, "the option * lacks the flag that opens the table")
            }
            option.isRequired = raw.flags & COFFER_OPTF_REQUIRED != 0
            option.isSecret = raw.flags & COFFER_OPTF_SECRET != 0
            option.isLive = raw.flags & COFFER_OPTF_LIVE != 0
            option.defaultValue = raw.default_value.map { String(cString: $0) }
            option.choices = text(raw.choices).split(separator: "|").map(String.init)
            option.documentation = text(raw.doc)
            option.minimum = raw.min
            option.maximum = raw.max
            option.deprecatedAlias = raw.deprecated_alias.map { String(cString: $0) }
            options.append(option)
        }
        return options
    }

    private static func kind(of number: UInt32) -> PluginOption.Kind? {
        switch number {
        case COFFER_OPT_STRING: .string
        case COFFER_OPT_INT: .int
        case COFFER_OPT_BOOL: .bool
        case COFFER_OPT_SIZE: .size
        case COFFER_OPT_DURATION: .duration
        case COFFER_OPT_ENUM: .choice
        case COFFER_OPT_PATH: .path
        case COFFER_OPT_URL: .url
        case COFFER_OPT_LIST: .list
        case COFFER_OPT_MAP: .map
        default: nil
        }
    }

    /// Which capability is declared without what it needs; nil if none is.
    private var capabilityProblem: String? {
        let needs: [(UInt64, String, Bool)] = [
            (COFFER_CAP_STAT, "stat", operations.stat != nil),
            (
                COFFER_CAP_READ, "read_open, read and read_close",
                operations.read_open != nil && operations.read != nil && operations.read_close != nil
            ),
            (COFFER_CAP_READ_RANGE, "read_open", operations.read_open != nil),
            (COFFER_CAP_READ_FD, "read_open", operations.read_open != nil),
            (
                COFFER_CAP_WRITE, "write_begin, write_append, write_commit and write_close",
                operations.write_begin != nil && operations.write_append != nil && operations.write_commit != nil
                    && operations.write_close != nil
            ),
            (COFFER_CAP_WRITE_INGEST, "write_ingest", operations.write_ingest != nil),
            (COFFER_CAP_CREATE_IF_ABSENT, "write_begin", operations.write_begin != nil),
            (COFFER_CAP_IF_MATCH, "write_begin", operations.write_begin != nil),
            (COFFER_CAP_REMOVE, "remove", operations.remove != nil),
            (COFFER_CAP_REMOVE_IF_MATCH, "remove", operations.remove != nil),
            (COFFER_CAP_REMOVE_BATCH, "remove_batch", operations.remove_batch != nil),
            (
                COFFER_CAP_LIST, "list_open, list_next and list_close",
                operations.list_open != nil && operations.list_next != nil && operations.list_close != nil
            ),
            (COFFER_CAP_COPY, "copy", operations.copy != nil),
            (COFFER_CAP_MOVE, "move", operations.move != nil),
            (COFFER_CAP_PRESIGN, "presign", operations.presign != nil),
            (COFFER_CAP_PUBLIC_URL, "public_url", operations.public_url != nil),
            (
                COFFER_CAP_CONTAINERS, "container_list, container_make and container_remove",
                operations.container_list != nil && operations.container_make != nil
                    && operations.container_remove != nil
            ),
            (COFFER_CAP_USAGE, "usage", operations.usage != nil),
            (
                COFFER_CAP_RESUME, "the extension \(COFFER_EXT_UPLOAD)",
                uploads.create != nil && uploads.part != nil && uploads.list_parts != nil && uploads.complete != nil
                    && uploads.abort != nil && uploads.list_uploads != nil
            ),
        ]
        for (bit, what, isThere) in needs where description.capabilities.has(bit) && !isThere {
            return "it declares \(CapabilityBits(rawValue: bit).words.joined()) and lacks \(what)"
        }
        return nil
    }
}

/// `major.minor` of a version of the ABI.
func versionText(_ abi: UInt32) -> String { "\(abi >> 16).\(abi & 0xFFFF)" }

/// A struct of `size` bytes at `source`, as much of it as we know, the rest as in `zero`.
func copied<T>(_ source: UnsafeRawPointer, _ size: Int, into zero: T) -> T {
    var value = zero
    withUnsafeMutableBytes(of: &value) {
        $0.copyMemory(from: UnsafeRawBufferPointer(start: source, count: min(size, $0.count)))
    }
    return value
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
