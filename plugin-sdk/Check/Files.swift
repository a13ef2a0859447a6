import Glibc

// The few things with files that a template needs.

/// The regular files below a directory, by their paths in it; nil when it cannot be read.
func filesBelow(_ path: String) -> [String]? {
    guard let directory = opendir(path) else { return nil }
    defer { closedir(directory) }
    var files: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name == "." || name == ".." { continue }
        if let inside = filesBelow("\(path)/\(name)") {
            files += inside.map { "\(name)/\($0)" }
        } else {
            files.append(name)
        }
    }
    return files.sorted()
}

func readFile(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0 { return nil }
        if count == 0 { return all }
        all += buffer[..<count]
    }
}

/// Writes a new file; one that exists is left alone and is an error.
func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Refusal(reason: "\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { throw Refusal(reason: "\(path): \(String(cString: strerror(errno)))") }
        rest = rest.dropFirst(count)
    }
}

func makeDirectories(above path: String) throws {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/").dropLast() {
        made += part + "/"
        guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
            throw Refusal(reason: "\(made): \(String(cString: strerror(errno)))")
        }
    }
}
