// Plugins, socket, access, limits and includes that are wrong.

import CofferProfile
import Testing

@Suite("A wrong section of the host")
struct WrongHostSectionTests {
    @Test("is refused at its place", arguments: Self.refusals)
    func refused(_ refusal: Refusal) {
        let errors = CofferProfileTests.refusal(of: refusal.text, variables: ["HOME": "/home/u"])
        #expect(errors.filter { !$0.contains(": warning: ") } == refusal.errors)
    }

    static let refusals: [Refusal] = [
        Refusal(
            "socket: {path: x, mod: 1}",
            [
                "1:19: error: unknown key \"mod\" in socket, expected path, mode or group; did you mean "
                    + "\"mode\"?"
            ]
        ),
        Refusal(
            "socket: {mode: 0999}",
            [
                "1:16: error: \"mode\" takes octal digits such as 0660, not \"0999\""
            ]
        ),
        Refusal(
            "socket: [x]",
            [
                "1:9: error: \"socket\" takes a path, not a list"
            ]
        ),
        Refusal(
            "access: [{user: a}]",
            [
                "1:10: error: a rule of \"access\" needs \"allow\", a list of upload, download, delete or "
                    + "manage"
            ]
        ),
        Refusal(
            "access: [{uid: 1, gid: 2, allow: upload}]",
            [
                "1:10: error: a rule of \"access\" needs one of user, uid, group or gid, and has 2"
            ]
        ),
        Refusal(
            "access: [{allow: upload}]",
            [
                "1:10: error: a rule of \"access\" needs one of user, uid, group or gid, and has none"
            ]
        ),
        Refusal(
            "access: [{uid: -1, allow: [uplod]}]",
            [
                "1:16: error: \"uid\" takes a whole number from 0 to 4294967294, not \"-1\"",
                "1:28: error: \"allow\" takes a list of upload, download, delete or manage, not "
                    + "\"uplod\"; did you mean \"upload\"?",
            ]
        ),
        Refusal(
            "access: {uid: 1}",
            [
                "1:9: error: \"access\" takes a list of rules, not a mapping"
            ]
        ),
        Refusal(
            "access: [{uid: 1, allow: upload, storages: x}]",
            [
                "1:44: error: \"storages\" takes a list of storages, not \"x\""
            ]
        ),
        Refusal(
            "access: [{uid: 1, allow: upload, token: x}]",
            [
                "1:34: error: unknown key \"token\" in access, expected user, uid, group, gid, allow, "
                    + "storages or prefix"
            ]
        ),
        Refusal(
            "limits: {connections: 0, thread: 5}",
            [
                "1:23: error: \"connections\" takes a whole number from 1 to 1000000, not \"0\"",
                "1:26: error: unknown key \"thread\" in limits, expected connections, threads, "
                    + "calls_per_storage, queue, idle_timeout or drain_timeout; did you mean \"threads\"?",
            ]
        ),
        Refusal(
            "watch: perhaps",
            [
                "1:8: error: \"watch\" takes true or false, not \"perhaps\""
            ]
        ),
        Refusal(
            "plugins: [{sha256: x}]",
            [
                "1:11: error: an entry of \"plugins\" needs \"path\""
            ]
        ),
        Refusal(
            "plugins: [{path: x, sha256: x}]",
            [
                "1:29: error: \"sha256\" takes 64 hexadecimal digits"
            ]
        ),
        Refusal(
            "plugins: x",
            [
                "1:10: error: \"plugins\" takes a list or a mapping, not text"
            ]
        ),
        Refusal(
            "plugins: [{path: x, isolation: docker}]",
            [
                "1:32: error: \"isolation\" takes in_process or process, not \"docker\""
            ]
        ),
        Refusal(
            "plugins: [{path: x, isolation: process}]",
            [
                "1:32: error: \"isolation: process\" is not supported by this version; in_process runs the plugin in the host"
            ]
        ),
        Refusal(
            "include: nope.yaml",
            [
                "1:10: error: the file \"/c/nope.yaml\" cannot be read: no such file"
            ]
        ),
        Refusal(
            "include: {a: b}",
            [
                "1:10: error: \"include\" takes a path or a list of paths, not a mapping"
            ]
        ),
    ]
}
