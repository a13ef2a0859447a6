// What lies in a directory of the server, line by line, as it arrives.

import CofferPluginSDK
import Glibc

/// Reads directories: by MLSD, or by LIST where the server has nothing better.
///
/// LIST gets no path, since many servers take one for a pattern: the directory is entered first.
struct DirectoryReader {
    private static let longestLine = 64 << 10

    let control: Control
    private var server: Server { control.server }

    /// Reads by a control connection.
    init(_ control: Control) { self.control = control }

    /// Runs `body` for each name, until it answers false; an absent directory has none.
    ///
    /// Answers whether all were read.
    @discardableResult
    func forEach(
        in path: [UInt8],
        _ patience: Patience,
        _ body: (Facts, ArraySlice<UInt8>) throws(Fault) -> Bool
    ) throws(Fault) -> Bool {
        let path = path.isEmpty ? [UInt8(ascii: "/")] : path
        if server.hasMLSD {
            let command = try fatal { () throws(BackendError) in try Command("MLSD", path) }
            return try run(command, path, patience) { line throws(Fault) in
                guard let entry = FactLine.parse(line) else { return true }
                return try body(entry.facts, entry.name)
            } ?? true
        }
        let enter = try fatal { () throws(BackendError) in try Command("CWD", path) }
        let reply = try control.ask(enter, patience)
        guard reply.isDone else {
            if reply.saysForbidden { throw .failed(reply.error("cannot list \(words(path))")) }
            return true
        }
        return try list(path, patience, body)
    }

    /// Lists the directory that was entered, hidden names too if the server shows them.
    private func list(
        _ path: [UInt8],
        _ patience: Patience,
        _ body: (Facts, ArraySlice<UInt8>) throws(Fault) -> Bool
    ) throws(Fault) -> Bool {
        let format = ListLine(now: wallClock() / 1_000_000_000)
        let showsHidden = server.known.withLock { $0.listsHidden }
        guard showsHidden != nil else {
            // Who understands `-a` shows the directory itself; others look for a file of that name.
            var sawItself = false
            let result = try run(Command("LIST -a"), path, patience) { line throws(Fault) in
                if let entry = format.parse(line), entry.name.elementsEqual(".".utf8) { sawItself = true }
                return !sawItself
            }
            let understood = sawItself && result != nil
            server.known.withLock { $0.listsHidden = understood }
            return try list(path, patience, body)
        }
        let command = showsHidden == true ? Command("LIST -a") : Command("LIST")
        return try run(command, path, patience) { line throws(Fault) in
            guard let entry = format.parse(line) else { return true }
            return try body(entry.facts, entry.name)
        } ?? true
    }

    /// Runs `body` for each line that a command sends; nil if the server refused it as it refuses what is not there.
    private func run(
        _ command: Command,
        _ path: [UInt8],
        _ patience: Patience,
        _ body: (ArraySlice<UInt8>) throws(Fault) -> Bool
    ) throws(Fault) -> Bool? {
        let began = try Transfer(control).begin(command, patience).beginning
        switch began {
        case .refused(let reply):
            // Some servers answer so where a directory is empty.
            if reply.isDone { return nil }
            if reply.saysForbidden || ![450, 501, 550].contains(reply.code) {
                throw .failed(reply.error("cannot list \(words(path))"))
            }
            return nil
        case .open(let channel):
            return try read(channel, path, patience, body)
        }
    }

    private func read(
        _ channel: Channel,
        _ path: [UInt8],
        _ patience: Patience,
        _ body: (ArraySlice<UInt8>) throws(Fault) -> Bool
    ) throws(Fault) -> Bool {
        var isWanted = true
        do throws(Fault) {
            var rest: [UInt8] = []
            while isWanted {
                let block = try Self.block(of: channel, patience)
                if block.isEmpty { break }
                var start = 0
                while isWanted, let end = block[start...].firstIndex(of: 0x0A) {
                    rest += block[start..<end]
                    isWanted = try body(rest[..<(rest.last == 0x0D ? rest.count - 1 : rest.count)])
                    rest.removeAll(keepingCapacity: true)
                    start = end + 1
                }
                rest += block[start...]
                guard rest.count <= Self.longestLine else { throw .lost("a line of a listing has no end") }
            }
            if isWanted, !rest.isEmpty { isWanted = try body(rest[...]) }
        } catch {
            control.spoil()
            throw error
        }
        guard isWanted else {
            Ending(control).abandon(channel)
            return false
        }
        // Some servers say that all is sent only when they see this end closed.
        control.end(channel)
        let reply = try control.finalAnswer(patience)
        guard reply.isDone else {
            if reply.code == 426 || reply.code == 451 { throw .lost("the listing ended early: \(reply.words)") }
            throw .failed(reply.error("cannot list \(words(path))"))
        }
        return true
    }

    private static func block(of channel: Channel, _ patience: Patience) throws(Fault) -> [UInt8] {
        var failure: Fault?
        let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
            do throws(Fault) {
                count = try channel.read(into: UnsafeMutableRawBufferPointer(buffer), patience)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
