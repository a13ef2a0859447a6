// Looking at a root from outside, as a foreign program would.

import CofferSystem
import Glibc
import Testing

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY)
    try #require(file >= 0, "cannot open \(path)")
    defer { close(file) }
    var all: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(file, &block, block.count), count > 0 { all += block[..<count] }
    return all
}

/// Writes a file in place.
func write(_ bytes: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    try #require(file >= 0, "cannot open \(path)")
    defer { close(file) }
    try #require(write(file, bytes, bytes.count) == bytes.count)
}

/// Writes a file in place.
func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

/// The names in a directory, sorted.
func names(_ path: String) throws -> [String] {
    let directory = try #require(opendir(path), "cannot open \(path)")
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// Texts from many threads.
final class Counter: @unchecked Sendable {  // Every access is under the mutex.
    private var texts: [String] = []
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { pthread_mutex_init(mutex, nil) }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Adds a text.
    func add(_ text: String) {
        pthread_mutex_lock(mutex)
        texts.append(text)
        pthread_mutex_unlock(mutex)
    }

    /// All texts.
    var all: [String] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return texts
    }
}

/// Waits until something holds that another thread brings about; false if it has not within twenty seconds.
func eventually(_ isTrue: () throws -> Bool) rethrows -> Bool {
    let deadline = MonotonicTime.now.advanced(milliseconds: 20_000)
    while try !isTrue() {
        if deadline < .now { return false }
        sched_yield()
    }
    return true
}

/// The kernel's number of this thread.
func threadNumber() -> pid_t {
    typealias Number = @convention(c) () -> pid_t
    guard let symbol = dlsym(nil, "gettid") else { return -1 }
    return unsafeBitCast(symbol, to: Number.self)()
}

/// Exchanges two names in one step.
func exchange(_ left: String, _ right: String) {
    typealias Rename = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    guard let symbol = dlsym(nil, "renameat2") else { return }
    _ = unsafeBitCast(symbol, to: Rename.self)(AT_FDCWD, left, AT_FDCWD, right, 2)
}

/// Makes the kernel say ENOSYS to `openat2` for the rest of this process.
func refuseOpenat2() -> Bool {
    typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
    guard let symbol = dlsym(nil, "prctl") else { return false }
    let control = unsafeBitCast(symbol, to: Control.self)
    // Load the number of the call; 437 is openat2; ENOSYS is 38; else allow. Four times code, jumps, value.
    let filter: [UInt64] = [
        0x0000_0000_0000_0020, 0x0000_01b5_0100_0015, 0x0005_0026_0000_0006, 0x7fff_0000_0000_0006,
    ]
    return filter.withUnsafeBytes { filter in
        var program: (UInt64, UInt) = (4, UInt(bitPattern: filter.baseAddress))
        return withUnsafeBytes(of: &program) { program in
            control(38, 1, 0, 0, 0) == 0 && control(22, 2, UInt(bitPattern: program.baseAddress), 0, 0) == 0
        }
    }
}
