import Glibc

/// Bytes on their way out, in one kept piece of memory.
///
/// Unchecked because one worker owns it.
final class OutputBuffer: @unchecked Sendable {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    func removeAll() { count = 0 }

    /// Makes room for `extra` more bytes.
    func reserve(_ extra: Int) {
        guard count + extra > capacity else { return }
        capacity = max(capacity * 2, count + extra)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
    }

    /// The room behind what is there, for somebody else to fill; ``advance(by:)`` tells how much it was.
    var room: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
    }

    func advance(by extra: Int) { count += extra }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    func append(decimal number: Int64) {
        var rest = number.magnitude
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { digits in
            var at = digits.count
            repeat {
                at -= 1
                digits[at] = 0x30 + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            append(UnsafeRawBufferPointer(rebasing: digits[at...]))
        }
    }

    /// Appends a field of a handler's; what must not stand in a head becomes a blank.
    ///
    /// A line break in a value would start a field, or an answer, of the client's choosing.
    func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        append(name, allowed: .token, otherwise: 0x2D)
        append(": ")
        append(value, allowed: .value, otherwise: 0x20)
        append("\r\n")
    }

    private func append(_ bytes: UnsafeRawBufferPointer, allowed: ByteClass, otherwise: UInt8) {
        let start = count
        append(bytes)
        let classes = ByteClass.table
        let text = base.assumingMemoryBound(to: UInt8.self)
        var common = allowed.rawValue
        for index in start..<count { common &= classes[Int(text[index])] }
        if common != 0 { return }
        for index in start..<count where classes[Int(text[index])] & allowed.rawValue == 0 { text[index] = otherwise }
    }
}

/// The `Date` field, made once a second.
struct DateField {
    private var second: Int = -1
    private var text: [UInt8] = []

    /// Appends the field with the present time.
    mutating func append(to output: OutputBuffer) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        if now.tv_sec != second {
            second = now.tv_sec
            text = Self.format(second)
        }
        text.withUnsafeBytes { output.append($0) }
    }

    /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` and a line break.
    static func format(_ second: Int) -> [UInt8] {
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var moment = time_t(second)
        var parts = tm()
        gmtime_r(&moment, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
        let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        return Array("Date: \(days[Int(parts.tm_wday)]), \(date) \(time) GMT\r\n".utf8)
    }
}
