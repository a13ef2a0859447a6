// What an operator has set, read and checked.

import CofferPluginSDK
import CofferTLS
import Glibc

/// The options, in the form in which they are used.
struct Settings: Sendable {
    /// Whether and when a connection is encrypted.
    enum Encryption: Sendable {
        case none, explicit, implicit
    }

    /// How a directory is listed.
    enum ListCommand: Sendable {
        case auto, mlsd, list
    }

    let host: String
    let port: UInt16
    let user: [UInt8]
    let password: [UInt8]
    /// Where keys begin: absolute, or below the directory that a login leads to.
    let root: [UInt8]
    let makesRoot: Bool
    let encryption: Encryption
    /// What connections are encrypted with; nil in clear.
    let tls: TLSContext?
    let encryptsData: Bool
    let isActive: Bool
    /// The address that the server is told to connect to; nil is that of the control connection.
    let activeAddress: String?
    let isLatin1: Bool
    let connections: Int
    let connectMilliseconds: UInt64
    let stallMilliseconds: UInt64
    let idleNanoseconds: UInt64
    let pipelines: Bool
    let listCommand: ListCommand
    /// The operator's word that a rename replaces what is there in one step.
    let isAtomic: Bool
    /// The operator's word that the server takes MFMT.
    let keepsTimes: Bool
    /// How old a leftover of another machine is before it is removed.
    let sweepNanoseconds: Int64

    /// Reads the options.
    init(_ options: Options) throws(BackendError) {
        host = try Self.line(options, "host", isRequired: true)
        let mode = try Self.choice(options, "tls", ["none", "explicit", "implicit"])
        encryption = mode == "explicit" ? .explicit : mode == "implicit" ? .implicit : .none
        let standard: Int64 = encryption == .implicit ? 990 : 21
        port = UInt16(try Self.number(options, "port", 1...65535) ?? standard)
        user = Array(try Self.line(options, "user", isRequired: false, or: "anonymous").utf8)
        password = Array(try Self.line(options, "password", isRequired: false).utf8)
        root = try Self.root(options)
        makesRoot = try options.boolean("create") ?? true
        tls = encryption == .none ? nil : try Self.context(options)
        encryptsData = try options.boolean("protect_data") ?? true
        isActive = try Self.choice(options, "mode", ["passive", "active"]) == "active"
        activeAddress = try Self.address(options)
        isLatin1 = try Self.choice(options, "encoding", ["utf-8", "latin-1"]) == "latin-1"
        connections = Int(try Self.number(options, "connections", 1...256) ?? 8)
        connectMilliseconds = UInt64(try Self.number(options, "connect_timeout", 1...3_600_000) ?? 10_000)
        stallMilliseconds = UInt64(try Self.number(options, "stall_timeout", 1...86_400_000) ?? 30_000)
        idleNanoseconds = UInt64(try Self.number(options, "idle_timeout", 0...86_400_000) ?? 60_000) * 1_000_000
        pipelines = try options.boolean("pipelining") ?? true
        let list = try Self.choice(options, "list_command", ["auto", "mlsd", "list"])
        listCommand = list == "mlsd" ? .mlsd : list == "list" ? .list : .auto
        isAtomic = try options.boolean("atomic_rename") ?? false
        keepsTimes = try options.boolean("set_mtime") ?? false
        sweepNanoseconds =
            (try Self.number(options, "leftovers_after", 60_000...31_536_000_000) ?? 86_400_000) * 1_000_000
    }

    /// A text that can be sent as part of a line.
    private static func line(
        _ options: Options,
        _ name: String,
        isRequired: Bool,
        or standard: String = ""
    ) throws(BackendError) -> String {
        let text = isRequired ? try options.required(name) : options.string(name) ?? standard
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), text.utf8.count <= 1024 else {
            throw Options.wrong(name, "holds a control character, or is too long")
        }
        return text
    }

    private static func root(_ options: Options) throws(BackendError) -> [UInt8] {
        let text = try line(options, "root", isRequired: false)
        let isAbsolute = text.utf8.first == UInt8(ascii: "/")
        let segments = text.utf8.split(separator: UInt8(ascii: "/"))
        guard !segments.contains(where: { $0.elementsEqual("..".utf8) }) else {
            throw Options.wrong("root", "holds a .. segment")
        }
        let kept = segments.filter { !$0.elementsEqual(".".utf8) }.map { Array($0) }
        return (isAbsolute ? [UInt8(ascii: "/")] : []) + Array(kept.joined(separator: [UInt8(ascii: "/")]))
    }

    private static func address(_ options: Options) throws(BackendError) -> String? {
        guard let text = options.string("active_address"), !text.isEmpty else { return nil }
        var bytes = (UInt64(0), UInt64(0))
        guard inet_pton(AF_INET, text, &bytes) == 1 || inet_pton(AF_INET6, text, &bytes) == 1 else {
            throw Options.wrong("active_address", "is not an address in digits")
        }
        return text
    }

    private static func context(_ options: Options) throws(BackendError) -> TLSContext {
        let file = { (name: String) in options.string(name).flatMap { $0.isEmpty ? nil : $0 } }
        let (authorities, certificate) = (file("ca_file"), file("client_certificate"))
        do throws(TLSError) {
            return try TLSContext(authorities: authorities, certificate: certificate, key: file("client_key"))
        } catch {
            throw Options.wrong(certificate == nil ? "ca_file" : "ca_file or client_certificate", error.reason)
        }
    }

    private static func choice(_ options: Options, _ name: String, _ words: [String]) throws(BackendError) -> String {
        let word = options.string(name) ?? words[0]
        guard words.contains(word) else { throw Options.wrong(name, "is not one of \(words.joined(separator: ", "))") }
        return word
    }

    private static func number(
        _ options: Options,
        _ name: String,
        _ bounds: ClosedRange<Int64>
    ) throws(BackendError) -> Int64? {
        guard let number = try options.integer(name) else { return nil }
        guard bounds.contains(number) else {
            throw Options.wrong(name, "is not between \(bounds.lowerBound) and \(bounds.upperBound)")
        }
        return number
    }
}
