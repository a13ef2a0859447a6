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
    filterSystemCalls([
        statement(0x20, 0), jump(0x15, 437, yes: 0, no: 1), statement(0x06, 0x5_0026), statement(0x06, 0x7fff_0000),
    ])
}

/// Makes every file system like FAT for the rest of this process: no unnamed files, no links, no attributes.
func refuseLinksAndAttributes() -> Bool {
    #if arch(x86_64)
    let (linkat, fsetxattr, fgetxattr, openat): (UInt64, UInt64, UInt64, UInt64) = (265, 190, 193, 257)
    #else
    let (linkat, fsetxattr, fgetxattr, openat): (UInt64, UInt64, UInt64, UInt64) = (37, 7, 10, 56)
    #endif
    return filterSystemCalls([
        statement(0x20, 0),
        jump(0x15, linkat, yes: 7, no: 0),
        jump(0x15, fsetxattr, yes: 5, no: 0),
        jump(0x15, fgetxattr, yes: 4, no: 0),
        jump(0x15, openat, yes: 0, no: 2),
        // The flags of an open: the bit that makes O_TMPFILE more than O_DIRECTORY.
        statement(0x20, 32),
        jump(0x45, 0x40_0000, yes: 1, no: 0),
        statement(0x06, 0x7fff_0000),
        statement(0x06, 0x5_005f),  // EOPNOTSUPP
        statement(0x06, 0x5_0001),  // EPERM
    ])
}

/// One instruction of a filter: load a word (0x20) or answer (0x06).
private func statement(_ code: UInt64, _ value: UInt64) -> UInt64 { code | value << 32 }

/// One jump of a filter, if the word equals (0x15) or has bits of (0x45) the value: so many instructions further.
private func jump(_ code: UInt64, _ value: UInt64, yes: UInt64, no: UInt64) -> UInt64 {
    code | yes << 16 | no << 24 | value << 32
}

private func filterSystemCalls(_ filter: [UInt64]) -> Bool {
    typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
    guard let symbol = dlsym(nil, "prctl") else { return false }
    let control = unsafeBitCast(symbol, to: Control.self)
    return filter.withUnsafeBytes { bytes in
        var program: (UInt64, UInt) = (UInt64(filter.count), UInt(bitPattern: bytes.baseAddress))
        return withUnsafeBytes(of: &program) { program in
            control(38, 1, 0, 0, 0) == 0 && control(22, 2, UInt(bitPattern: program.baseAddress), 0, 0) == 0
        }
    }
}
