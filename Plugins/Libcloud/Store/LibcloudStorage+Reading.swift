// Reads: what is small is taken whole, what is large flows from its child.

import CofferJSON
package import CofferPluginSDK

extension LibcloudStorage {
    package func openRead(_ request: ReadRequest, call: Call) throws(BackendError) -> ReadAnswer {
        let doing = "reading \(request.key)"
        var question = Question("read", doing)
        question["key"] = .string(try rule.text(request.key))
        question["conditions"] = request.conditions.json
        question["range"] = request.range.json
        // Whatever is thrown from here on ends the loan.
        let (loan, answer) = try pool.begin(question, .reading, silence: configuration.stallTimeout, call: call)
        guard let start = answer.head["start"]?.integerValue, let end = answer.head["end"]?.integerValue,
            let first = UInt64(exactly: start), let last = UInt64(exactly: end), first <= last
        else { throw BackendError(.internal, "\(doing): the python process tells no range") }
        let stream = ChildReader(loan, left: last - first, doing: doing, silence: configuration.stallTimeout)
        if last - first <= ChildReader.smallest { try stream.fetch(call: call) }
        return ReadAnswer(entry: shown(answer.entry(request.key)), range: first..<last, body: .stream(stream))
    }
}

/// Bytes that come from a child.
private final class ChildReader: ReadStream {
    /// Up to here an object is taken at once, so that a slow client does not hold a child.
    static let smallest: UInt64 = 1 << 20

    private let doing: String
    private let silence: UInt64
    private var loan: Loan?
    private var left: UInt64
    /// What was taken at once.
    private var fetched = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var position = 0

    init(_ loan: Loan, left: UInt64, doing: String, silence: UInt64) {
        self.loan = loan
        self.left = left
        self.doing = doing
        self.silence = silence
    }

    deinit { fetched.deallocate() }

    /// Takes everything, and lets go of the child.
    func fetch(call: Call) throws(BackendError) {
        fetched = .allocate(byteCount: Int(left), alignment: 16)
        var filled = 0
        while left > 0 {
            var rest = MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: fetched[filled...]))
            filled += try receive(into: &rest, call: call)
        }
        try finish(call: call)
    }

    func read(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        guard loan != nil else {
            let count = min(buffer.byteCount, fetched.count - position)
            let piece = UnsafeRawBufferPointer(rebasing: fetched[position..<(position + count)])
            buffer.withUnsafeMutableBytes { $0.copyMemory(from: piece) }
            position += count
            return count
        }
        if left == 0 { return 0 }
        let count = try receive(into: &buffer, call: call)
        // The last word of the answer says whether all was right, so it comes before the last byte is given out.
        if left == 0 { try finish(call: call) }
        return count
    }

    func close() {
        guard let loan else { return }
        self.loan = nil
        _ = loan.child.stop()
        loan.end()
    }

    private func receive(into buffer: inout MutableRawSpan, call: Call) throws(BackendError) -> Int {
        guard let loan else { return 0 }
        let count = try loan.child.piece(into: &buffer, doing, silence: silence, call: call)
        guard count > 0, UInt64(count) <= left else {
            throw BackendError(.corrupt, "\(doing): not as many bytes as promised", isRetryable: true)
        }
        left -= UInt64(count)
        return count
    }

    private func finish(call: Call) throws(BackendError) {
        guard let loan else { return }
        var none: [UInt8] = [0]
        var span = none.mutableSpan
        var bytes = span.mutableBytes
        let count = try loan.child.piece(into: &bytes, doing, silence: silence, call: call)
        guard count == 0 else { throw BackendError(.corrupt, "\(doing): more bytes than promised") }
        self.loan = nil
        loan.end()
    }
}

extension ReadRange {
    /// The range, for a child.
    fileprivate var json: JSONValue {
        func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
        switch self {
        case .all: return [:]
        case .from(let offset): return ["offset": number(offset)]
        case .slice(let offset, let length): return ["offset": number(offset), "length": number(length)]
        case .suffix(let length): return ["suffix": number(length)]
        }
    }
}
