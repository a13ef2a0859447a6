import CCofferPlugin
import Glibc

/// One run of one case: its fresh keys, its instances, its latest calls.
///
/// Unchecked because `opened` and `written` are guarded and the rest never changes.
final class Trial: @unchecked Sendable {
    let item: ConformanceCase
    let factory: SubjectFactory
    let scale: Scale
    let steps = Steps()
    /// Every key of this run starts so: stores that persist keep runs apart by it.
    let prefix: String
    private let place: TemporaryPlace?
    private let opened = Guarded<[Subject]>([])
    private let written = Guarded<Set<Name>>([])

    init(_ item: ConformanceCase, factory: SubjectFactory, scale: Scale) {
        self.item = item
        self.factory = factory
        self.scale = scale
        place = factory.usesTemporaryPlace ? TemporaryPlace() : nil
        prefix = "cc-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))/\(item.number)/"
    }

    var count: Int { item.counts.at(scale) }
    var plugin: UnsafePointer<coffer_plugin> { factory.plugin }
    /// The fresh directory that the plugin was given as an option, if it was.
    var directory: String? { place?.path }

    /// A key of this trial.
    func key(_ rest: String) -> Name { Name(prefix + rest) }
    func key(_ rest: [UInt8]) -> Name { Name(Array(prefix.utf8) + rest) }

    /// Another instance with the same options, closed with the trial.
    func open() throws -> Subject {
        let subject = try Subject(self)
        opened.withLock { $0.append(subject) }
        return subject
    }

    /// The instance that a case uses when one is enough.
    func subject() throws -> Subject {
        if let first = opened.withLock({ $0.first }) { return first }
        return try open()
    }

    func willWrite(_ key: Name) { written.withLock { if $0.count < 100_000 { _ = $0.insert(key) } } }

    func options() -> [(Name, Name)] { factory.options(place: place?.path ?? "/nonexistent") }

    /// Opens, proves or runs, cleans up and closes.
    func run() -> Outcome {
        do {
            let subject = try subject()
            let missing = item.needs.subtracting(subject.native)
            let outcome: Outcome
            if let lacking = Capabilities.abilities.first(where: { missing.contains($0.capability) }) {
                let proof = try Refusals.prove(lacking.capability, on: subject, in: self)
                outcome = .skipped("\(lacking.name) is declared none: \(proof)")
            } else {
                try item.body(self)
                outcome = .passed
            }
            cleanUp()
            return outcome
        } catch let skip as Skip {
            cleanUp()
            return .skipped(skip.reason)
        } catch {
            let failure = self.failure(error)
            cleanUp()
            return .failed(failure)
        }
    }

    private func failure(_ error: any Error) -> Failure {
        switch error {
        case let failure as Mismatch:
            Failure(expected: failure.expected, got: failure.got, howToReproduce: steps.latest, line: failure.line)
        case let refused as PluginError:
            Failure(expected: "ok", got: refused.description, howToReproduce: steps.latest, line: 0)
        default:
            Failure(expected: "ok", got: "\(error)", howToReproduce: steps.latest, line: 0)
        }
    }

    /// Removes what the run stored, where it would stay, and closes every instance.
    private func cleanUp() {
        let subjects = opened.withLock { list in
            defer { list = [] }
            return list
        }
        if let first = subjects.first, first.has(.remove), place == nil {
            let keys = Array(written.withLock { $0 })
            // What cannot be removed was refused already, or the case has said so.
            if first.has(.removeBatch) {
                // Far stores answer a batch about as quickly as one key.
                for start in stride(from: 0, to: keys.count, by: 100) {
                    _ = first.code { _ = try first.removeBatch(Array(keys[start..<min(start + 100, keys.count)])) }
                }
            } else {
                for key in keys { _ = first.code { try first.remove(key, quiet: true) } }
            }
        }
        for subject in subjects { subject.close() }
    }
}

/// A promise that was not kept, as a case sees it.
struct Mismatch: Error {
    let expected: String
    let got: String
    let line: Int
}

/// The case asks for something that this plugin has said it is not.
struct Skip: Error {
    let reason: String
}

/// The condition holds, or the case fails.
func expect(_ holds: Bool, _ expected: String, got: @autoclosure () -> String, line: Int = #line) throws {
    if !holds { throw Mismatch(expected: expected, got: got(), line: line) }
}

/// Both are the same, or the case fails.
func expectEqual<Value: Equatable>(_ got: Value, _ expected: Value, _ what: String, line: Int = #line) throws {
    if got != expected { throw Mismatch(expected: "\(what): \(expected)", got: "\(got)", line: line) }
}

/// Both are the same bytes, or the case fails without printing them.
func expectBytes(_ got: [UInt8], _ expected: [UInt8], _ what: String, line: Int = #line) throws {
    guard got != expected else { return }
    let first = zip(got, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    throw Mismatch(
        expected: "\(what): \(expected.count) bytes as written",
        got: "\(got.count) bytes" + (first.map { ", the first other one at \($0)" } ?? ""),
        line: line
    )
}

/// The call answers one of these codes, or the case fails.
func expectCode(_ got: coffer_status, _ expected: coffer_status..., in what: String, line: Int = #line) throws {
    if !expected.contains(got) {
        throw Mismatch(
            expected: "\(what): " + expected.map(codeName).joined(separator: " or "),
            got: codeName(got),
            line: line
        )
    }
}

/// Bytes that no other seed gives, the same each time.
func pattern(_ count: Int, seed: Int = 1) -> [UInt8] {
    var state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 | 1
    // Eight bytes a step: large objects are made of it.
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        let raw = UnsafeMutableRawBufferPointer(buffer)
        var at = 0
        while at < count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            withUnsafeBytes(of: state) { bytes in
                let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(count - at))
                UnsafeMutableRawBufferPointer(rebasing: raw[at...]).copyMemory(from: part)
            }
            at += 8
        }
        filled = count
    }
}
