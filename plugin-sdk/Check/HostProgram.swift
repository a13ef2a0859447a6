import Glibc

/// Where the host's program is.
enum HostProgram {
    /// What `--cofferd` names, or a `cofferd` beside this program or in `PATH`.
    static func find(_ arguments: Arguments) throws -> String {
        if let named = arguments.last("--cofferd") {
            guard access(named, X_OK) == 0 else {
                throw Refusal(reason: "\(named): \(String(cString: strerror(errno)))")
            }
            return named
        }
        var own = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &own, own.count)
        let path = String(decoding: own.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let beside = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let folders = getenv("PATH").map { String(cString: $0).split(separator: ":").map(String.init) } ?? []
        for folder in [beside] + folders where access("\(folder)/cofferd", X_OK) == 0 { return "\(folder)/cofferd" }
        throw Refusal(reason: "there is no cofferd in \(beside) or in PATH: name it with --cofferd PATH")
    }
}
