import CofferHTTP
import CofferModel
import CofferProfile
import CofferRoutes
import CofferSystem
import Glibc

/// The host as a process: sockets, server, signals, and the way down.
struct Daemon {
    private let arguments: Arguments
    private let log = Log()

    init(_ arguments: Arguments) { self.arguments = arguments }

    /// Serves until a signal says to stop; the exit code.
    func run() -> Int32 {
        raiseDescriptorLimit()
        umask(0o077)
        let (path, tried) = Locations.configuration(argument: arguments.configuration)
        guard let path else {
            Terminal.complain("there is no configuration; looked at \(tried.joined(separator: ", "))")
            return 7
        }
        let host: Host
        let plugins = Plugins(log: log)
        do throws(ConfigurationError) {
            let loader = ConfigurationLoader(
                path: path,
                profile: arguments.profile,
                state: Locations.state,
                plugins: plugins
            )
            host = try Host(loader: loader, plugins: plugins, requiresHealth: arguments.requiresHealth, log: log)
        } catch {
            Terminal.complain(lines: error.checkReport)
            plugins.complainIfEmpty()
            return 7
        }
        if let error = host.unhealthiness {
            Terminal.complain("\(error.message); without --require-healthy the others are served")
            host.shutDown()
            return 8
        }
        do throws(SystemError) {
            return try serve(host)
        } catch {
            let hint = error.number == EADDRINUSE ? "; another host serves there: stop it, or say --socket" : ""
            Terminal.complain("\(error)\(hint)")
            return 1
        }
    }

    /// What runs at once in one storage, and what may wait for it, unless the configuration says otherwise.
    private static let (callsPerStorage, queue) = (64, 1024)

    private func serve(_ host: Host) throws(SystemError) -> Int32 {
        let configuration = host.configuration
        let (listeners, own) = try listen(configuration)
        defer { own?.close() }
        let limits = configuration.limits
        var settings = HTTPServer.Configuration()
        if let connections = limits.connections { settings.maxConnections = connections }
        if let threads = limits.threads { settings.maxThreads = threads }
        if let idle = limits.idleTimeout { settings.idleTimeout = Int(idle) }
        let lanes = Lanes(
            width: limits.callsPerStorage ?? Self.callsPerStorage,
            // No storage may hold more than half of the threads, its two lanes together.
            ceiling: max(1, settings.maxThreads / 4),
            queueLimit: limits.queue ?? Self.queue
        )
        let router = Router(host: host, lanes: lanes, metrics: RequestMetrics())
        let server = try HTTPServer(handler: router, listeners: listeners, configuration: settings)
        host.addMetrics { server.metricsText() }
        try server.start()
        host.whenSwapped { [log] configuration in
            let limits = configuration.limits
            lanes.resize(
                width: limits.callsPerStorage ?? Self.callsPerStorage,
                queueLimit: limits.queue ?? Self.queue
            )
            guard let own, !own.setMode(Self.mode(configuration)) else { return }
            log.error("the mode of \(own.path) cannot be changed")
        }
        host.watchFiles()
        let clock = HostClock(host.generations)
        ServiceManager.notify("READY=1")
        log.info("serving \(configuration.storages.count) storages on \(own?.path ?? "the sockets given")")
        wait(host)
        ServiceManager.notify("STOPPING=1")
        log.info("stopping")
        clock.stop()
        let patience = Int(limits.drainTimeout ?? 10_000)
        if !server.shutdown(deadline: .now.advanced(milliseconds: patience)) {
            log.warning("some requests did not finish in \(patience) ms and were cut off")
        }
        host.shutDown()
        return 0
    }

    /// The sockets of the service manager, else one of our own.
    private func listen(_ configuration: Configuration) throws(SystemError) -> ([Descriptor], UnixListener?) {
        let given = ServiceManager.takeListeningSockets()
        if !given.isEmpty { return (given, nil) }
        let path = Locations.socket(argument: arguments.socket, configured: configuration.socket.path)
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            // A folder that cannot be made is told by the bind that follows, with the path.
            _ = Locations.makeFolder(String(path[..<slash]), mode: 0o755)
        }
        let group = try configuration.socket.group.map { (name) throws(SystemError) in try Self.group(name) }
        let own = try UnixListener.listen(path: path, mode: Self.mode(configuration), group: group)
        return ([own.descriptor], own)
    }

    /// Everybody may connect once the rules name anybody else: then the rules decide, by who is calling.
    private static func mode(_ configuration: Configuration) -> UInt32 {
        configuration.socket.mode ?? (configuration.access.isEmpty ? 0o600 : 0o666)
    }

    /// The number of the group `name`, which may be a number already.
    private static func group(_ name: String) throws(SystemError) -> UInt32 {
        if let number = UInt32(name) { return number }
        guard let entry = getgrnam(name) else { throw SystemError("look up the group \(name)", number: ENOENT) }
        return entry.pointee.gr_gid
    }

    /// Does what signals ask for, until one asks to stop.
    private func wait(_ host: Host) {
        while true {
            switch Signals.next() {
            case .stop: return
            case .reload:
                // A manager that waits for the reload (Type=notify-reload) tells it from an earlier one by its time.
                ServiceManager.notify("RELOADING=1\nMONOTONIC_USEC=\(MonotonicTime.now.nanoseconds / 1000)")
                host.reloadAloud()
                ServiceManager.notify("READY=1")
            }
        }
    }

    /// Connections and open objects are descriptors: as many as the system lets us have.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
