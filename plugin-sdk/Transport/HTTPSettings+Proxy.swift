// Whether requests go to a proxy, and what libcurl is told of the program.

import Glibc

extension HTTPSettings {
    /// The line of a header that names the program; without a value it forbids libcurl's own.
    var agentLine: String { userAgent.isEmpty ? "User-Agent:" : "User-Agent: \(userAgent)" }

    /// Whether a request to an origin goes to a proxy that wants to see the whole URL.
    func sendsThroughProxy(to origin: HTTPOrigin) -> Bool {
        guard !origin.isSecure else { return false }
        if let proxy { return proxy.lowercased().utf8.starts(with: "http".utf8) }
        return isPlainProxySet(in: "http_proxy", for: origin.host)
    }
}

/// Whether the environment sends plain requests to a host through a proxy, as libcurl reads it.
private func isPlainProxySet(in name: String, for host: String) -> Bool {
    guard let proxy = getenv(name) ?? getenv("all_proxy") ?? getenv("ALL_PROXY"), proxy.pointee != 0 else {
        return false
    }
    guard let none = getenv("no_proxy") ?? getenv("NO_PROXY") else { return true }
    let exceptions = String(cString: none).split { $0 == "," || $0 == " " }
    return !exceptions.contains { exception in
        if exception == "*" { return true }
        let name = exception.drop { $0 == "." }.lowercased()
        return host == name || host.hasSuffix("." + name)
    }
}
