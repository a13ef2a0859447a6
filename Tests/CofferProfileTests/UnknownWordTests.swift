// Keys, backends, profiles and storages that nobody knows, and the nearest word.

import CofferProfile
import Testing

@Suite("An unknown word")
struct UnknownWordTests {
    @Test("is refused at its place", arguments: Self.refusals)
    func refused(_ refusal: Refusal) {
        let errors = CofferProfileTests.refusal(of: refusal.text, variables: ["HOME": "/home/u"])
        #expect(errors.filter { !$0.contains(": warning: ") } == refusal.errors)
    }

    static let refusals: [Refusal] = [
        // An option in defaults may be one of the backend that is not there: one cause, one error.
        Refusal(
            "{defaults: {backend: locl, root: /r}, storages: {files: {}}}",
            ["1:22: error: unknown backend \"locl\", expected local, memory, odd or s3; did you mean \"local\"?"]
        ),
        Refusal(
            "storages: {files: {backend: memory, max_sise: 5MiB}}",
            [
                "1:37: error: unknown key \"max_sise\" in storages.files, expected \(storageKeys) or "
                    + "size; did you mean \"max_size\"?"
            ]
        ),
        Refusal(
            "storages: {files: {bakend: memory}}",
            [
                "1:12: error: the storage \"files\" has no backend; set \"backend\" here or in defaults",
                "1:20: error: unknown key \"bakend\" in storages.files, expected \(onlyStorageKeys); did "
                    + "you mean \"backend\"?",
            ]
        ),
        Refusal(
            "storages: {files: {backend: memroy}}",
            [
                "1:29: error: unknown backend \"memroy\", expected local, memory, odd or s3; did you mean "
                    + "\"memory\"?"
            ]
        ),
        Refusal(
            "storages: {files: {backend: gridfs}}",
            [
                "1:29: error: unknown backend \"gridfs\", expected local, memory, odd or s3"
            ]
        ),
        Refusal(
            "storage: {}",
            [
                "1:1: error: unknown key \"storage\" in the configuration, expected \(topKeys); did you "
                    + "mean \"storages\"?"
            ]
        ),
        Refusal(
            "zzz: 1",
            [
                "1:1: error: unknown key \"zzz\" in the configuration, expected \(topKeys)"
            ]
        ),
        Refusal(
            "defaults: {endpoin: x}",
            [
                "1:12: error: unknown key \"endpoin\" in defaults, expected \(storageKeys) or an option "
                    + "of a backend; did you mean \"endpoint\"?"
            ]
        ),
        Refusal(
            "backends: {s4: {}}",
            [
                "1:12: error: unknown backend \"s4\", expected local, memory, odd or s3; did you mean \"s3\"?"
            ]
        ),
        Refusal(
            "backends: {s3: {rot: /x}}",
            [
                "1:17: error: unknown key \"rot\" in backends.s3, expected \(backendKeys), endpoint, "
                    + "region, access_key, secret_key, container, part_size, retry_for, path_style, headers or "
                    + "regions"
            ]
        ),
        Refusal(
            "backends: {s3: {backend: s3}}",
            [
                "1:17: error: unknown key \"backend\" in backends.s3, expected \(backendKeys), endpoint, "
                    + "region, access_key, secret_key, container, part_size, retry_for, path_style, headers or "
                    + "regions"
            ]
        ),
        Refusal(
            "profiles: {p: {extend: x, limits: {}}}",
            [
                "1:16: error: unknown key \"extend\" in profiles.p, expected extends, defaults, backends, "
                    + "storages, default_storage or access; did you mean \"extends\"?",
                "1:27: error: unknown key \"limits\" in profiles.p, expected extends, defaults, backends, "
                    + "storages, default_storage or access",
            ]
        ),
        Refusal(
            "profile: x",
            [
                "1:10: error: no profile \"x\", and the text defines none"
            ]
        ),
        Refusal(
            "profile: prod\nprofiles: {production: {}}",
            [
                "1:10: error: no profile \"prod\", expected production; did you mean \"production\"?"
            ]
        ),
        Refusal(
            "profiles: {a: {extends: b}, b: {extends: a}}",
            [
                "1:42: error: the profile \"a\" extends itself: a → b → a"
            ]
        ),
        Refusal(
            "profiles: {a: {extends: c}}",
            [
                "1:25: error: no profile \"c\", expected a"
            ]
        ),
        Refusal(
            "profiles: {a: {extends: a}}",
            [
                "1:25: error: the profile \"a\" extends itself: a → a"
            ]
        ),
        Refusal(
            "storages: {a/b: {backend: memory}}",
            [
                "1:12: error: \"a/b\" is no name for a storage, expected 1 to 64 letters, digits, \"-\", "
                    + "\"_\" or \".\", the first a letter or digit"
            ]
        ),
        Refusal(
            "storages: {files: {}}",
            [
                "1:12: error: the storage \"files\" has no backend; set \"backend\" here or in defaults"
            ]
        ),
        Refusal(
            "storages: {files: {backend: s3}}",
            [
                "1:12: error: the storage \"files\" needs \"endpoint\", which backend \"s3\" requires; "
                    + "set it here, in backends.s3 or in defaults"
            ]
        ),
        Refusal(
            "storages: {files: {backend: [a]}}",
            [
                "1:29: error: \"backend\" takes the id of a backend, not a list"
            ]
        ),
        Refusal(
            "default_storage: fils\nstorages: {files: {backend: memory}}",
            [
                "1:18: error: \"default_storage\" names no storage: \"fils\", expected files; did you "
                    + "mean \"files\"?"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, accept: {all_exept: [x]}}}",
            [
                "1:46: error: unknown key \"all_exept\" in \"accept\", expected all_except"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, sniff: true, quota: 5GiB}}",
            [
                "1:37: error: unknown key \"sniff\" in storages.files, expected \(storageKeys) or size",
                "1:50: error: unknown key \"quota\" in storages.files, expected \(storageKeys) or size",
            ]
        ),
    ]
}
