// Which keys lie where, whose leftovers are whose, and which profiles are refused.

import CofferPluginSDK
import Testing

@testable import SFTPBackend
@testable import SSHTransport

@Suite("SFTP places")
struct PlaceTests {
    @Test(
        "A key that no path can be is refused",
        arguments: [
            "", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", ".coffer", ".coffer/sftp/x", "a\u{0}b",
        ]
    )
    func refusedKeys(key: String) {
        #expect(throws: BackendError.self) { try Place(ByteString(key)) }
    }

    @Test(
        "A key that only looks odd is a path",
        arguments: ["a", "...", "..a", "a/.coffer/b", ".cofferx", "a\nrm *", "-rf", "a b", "\u{1F389}"]
    )
    func takenKeys(key: String) throws {
        let place = try Place(ByteString(key))
        #expect(place.path(below: Array("/r".utf8)) == Array("/r/\(key)".utf8))
    }

    @Test("A segment of 255 bytes is the longest")
    func longSegments() throws {
        _ = try Place(ByteString("d/" + String(repeating: "x", count: 255)))
        #expect(throws: BackendError.self) { try Place(ByteString(String(repeating: "x", count: 256))) }
        #expect(throws: BackendError.self) { try Place(ByteString([0x61, 0xFF])) }
    }

    @Test("The directories of a key are all that lead to it, the root left out")
    func ancestors() throws {
        let place = try Place("a/b/c")
        let root = Array("/r".utf8)
        #expect(place.ancestors(below: root) == [Array("/r/a".utf8), Array("/r/a/b".utf8)])
        #expect(place.parent(below: root) == Array("/r/a/b".utf8))
        #expect(try Place("c").parent(below: root) == root)
        // At the root of the server the path of a key begins with one slash.
        #expect(try Place("c").path(below: []) == Array("/c".utf8))
    }

    @Test("An instance is alive until it ends, and one of a process that is gone is dead")
    func sessions() {
        let session = Session()
        #expect(Session.isAlive(session.name) == true)
        session.end()
        #expect(Session.isAlive(session.name) == false)
        let parts = String(decoding: session.name, as: UTF8.self).split(separator: "-")
        #expect(Session.isAlive(Array("\(parts[0])-7fffffff.1-1".utf8)) == false)
    }

    @Test("Of an instance of another machine nobody here knows whether it lives")
    func foreignSessions() {
        #expect(Session.isAlive(Array("1-1.1-1".utf8)) == nil)
        #expect(Session.isAlive(Array("anything".utf8)) == nil)
    }

    @Test("A host key is pinned by its fingerprint, with or without padding, or whole")
    func pins() {
        let fingerprint = "SHA256:" + String(repeating: "a", count: 43)
        #expect(HostKeyPin.matches(fingerprint, fingerprint: fingerprint, encoded: "AAAAx"))
        #expect(HostKeyPin.matches(fingerprint + "=", fingerprint: fingerprint, encoded: "AAAAx"))
        #expect(HostKeyPin.matches("ssh-ed25519 AAAAx me@here", fingerprint: "", encoded: "AAAAx"))
        #expect(!HostKeyPin.matches("ssh-ed25519 AAAAx", fingerprint: fingerprint, encoded: "AAAAy"))
        #expect(!HostKeyPin.matches(fingerprint, fingerprint: fingerprint + "b", encoded: ""))
        // What could not be read from the server is no match for anything.
        #expect(!HostKeyPin.matches("SHA256:", fingerprint: "", encoded: ""))
        #expect(
            HostKeyPin.algorithms(of: ["ssh-rsa AAAA", "ssh-ed25519 AAAA"]) == "rsa-sha2-512,rsa-sha2-256,ssh-ed25519"
        )
        #expect(HostKeyPin.algorithms(of: ["ssh-rsa AAAA", fingerprint]) == nil)
    }

    @Test(
        "An option that is wrong is named",
        arguments: [
            ("host", ""), ("host", "a b"), ("host", "-oProxyCommand=x"), ("host", "user@host"), ("user", "-x"),
            ("port", "0"), ("port", "65536"), ("host_key", "yes"), ("server", "ssh"), ("durability", "some"),
            ("file_mode", "0400"), ("file_mode", "rw"), ("directory_mode", "0600"), ("connections", "0"),
            ("agent", "maybe"),
        ]
    )
    func wrongOptions(name: String, value: String) {
        var values: Properties = ["host": "localhost", "key_file": "/key"]
        values[name] = value
        let error = #expect(throws: BackendError.self) { _ = try Configuration(Options(values)) }
        #expect(error?.code == .config)
        #expect(error?.message.hasPrefix("option \(name) ") == true, "\(error?.message ?? "")")
    }

    @Test("A profile without any way to log in is refused, and one with two keys")
    func credentials() {
        #expect(throws: BackendError.self) { _ = try Configuration(Options(["host": "localhost"])) }
        #expect(throws: BackendError.self) {
            _ = try Configuration(Options(["host": "localhost", "key": "text", "key_file": "/key"]))
        }
    }

    @Test("A server of unknown making is promised nothing that version 3 cannot do")
    func grades() throws {
        let openssh = try Configuration(Options(["host": "h", "password": "p"])).traits.native
        #expect(openssh.contains([.atomicReplace, .createIfAbsent, .move, .durable, .readPinned]))
        let relaxed = try Configuration(Options(["host": "h", "password": "p", "durability": "relaxed"])).traits.native
        #expect(relaxed == openssh.subtracting(.durable))
        let other = try Configuration(Options(["host": "h", "password": "p", "server": "other"])).traits.native
        #expect(other.isDisjoint(with: [.atomicReplace, .createIfAbsent, .move, .durable, .readPinned, .usage]))
        #expect(!openssh.contains(.ifMatch) && !openssh.contains(.readCondition))
    }
}
