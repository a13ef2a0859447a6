import Glibc

/// The signals that steer the host, taken one after the other by one thread.
enum Signals {
    /// What a signal asks for.
    enum Request {
        case reload
        case stop
    }

    /// Keeps the signals pending for ``next()``; call it before the first thread starts, they inherit it.
    static func hold() {
        signal(SIGPIPE, SIG_IGN)
        var set = steering
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the next request.
    static func next() -> Request {
        var set = steering
        while true {
            var number: Int32 = 0
            guard sigwait(&set, &number) == 0 else { continue }
            return number == SIGHUP ? .reload : .stop
        }
    }

    private static var steering: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGHUP, SIGINT, SIGTERM] { sigaddset(&set, number) }
        return set
    }
}
