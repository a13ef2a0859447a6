// Values that do not fit their keys.

import CofferProfile
import Testing

@Suite("A wrong value")
struct WrongValueTests {
    @Test("is refused at its place", arguments: Self.refusals)
    func refused(_ refusal: Refusal) {
        let errors = CofferProfileTests.refusal(of: refusal.text, variables: ["HOME": "/home/u"])
        #expect(errors.filter { !$0.contains(": warning: ") } == refusal.errors)
    }

    static let refusals: [Refusal] = [
        Refusal(
            "storages: [a, b]",
            [
                "1:11: error: \"storages\" takes a mapping, not a list"
            ]
        ),
        Refusal(
            "storages: {files: [a]}",
            [
                "1:19: error: \"storages.files\" takes a mapping, not a list"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, on_conflict: renam}}",
            [
                "1:50: error: \"on_conflict\" takes error, replace or rename, not \"renam\"; did you mean "
                    + "\"rename\"?"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, max_size: 5, timeout: 5}}",
            [
                "1:59: error: \"timeout\" takes a duration such as 30s, at least 1ms, not \"5\"; add a "
                    + "unit: ms, s, m, h or d"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, max_size: 5M, timeout: 1 week}}",
            [
                "1:47: error: \"max_size\" takes a size such as 5MiB, at least 1B, not \"5M\"; write MiB or MB",
                "1:60: error: \"timeout\" takes a duration such as 30s, at least 1ms, not \"1 week\"",
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, max_size: 0, concurrency: 0}}",
            [
                "1:47: error: \"max_size\" takes a size such as 5MiB, at least 1B, not \"0\"",
                "1:63: error: \"concurrency\" takes a whole number from 1 to 65536, not \"0\"",
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, max_size: 0.3KiB, concurrency: 08}}",
            [
                "1:47: error: \"max_size\" takes a size such as 5MiB, at least 1B, not \"0.3KiB\"; it "
                    + "must be a whole number of bytes",
                "1:68: error: \"concurrency\" takes a whole number from 1 to 65536, not \"08\"; write it "
                    + "without the leading zero",
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, max_size: -1, read_only: maybe, url: nope}}",
            [
                "1:47: error: \"max_size\" takes a size such as 5MiB, at least 1B, not \"-1\"",
                "1:62: error: \"read_only\" takes true or false, not \"maybe\"",
                "1:74: error: \"url\" takes a URL such as https://host/, not \"nope\"",
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, max_size: 99999999PiB, size: 5}}",
            [
                "1:47: error: \"max_size\" takes a size such as 5MiB, at least 1B, not \"99999999PiB\"; "
                    + "it is too large",
                "1:66: error: \"size\" takes a size such as 5MiB, at least 1KiB, not \"5\"",
            ]
        ),
        Refusal(
            "storages: {files: {backend: s3, endpoint: 'https://u:p@h/ x', part_size: 1MiB, headers: x, regions: {a: b}}}",
            [
                "1:43: error: \"endpoint\" takes a URL such as https://host/, not \"https://u:********@h/ x\"",
                "1:74: error: \"part_size\" takes a size such as 5MiB, at least 5MiB, not \"1MiB\"",
                "1:89: error: \"headers\" takes a mapping of texts, not text",
                "1:101: error: \"regions\" takes a list of texts, not a mapping",
            ]
        ),
        Refusal(
            "storages: {files: {backend: s3, endpoint: 'https://h', headers: {a: [b]}, regions: [[a]]}}",
            [
                "1:69: error: \"headers\" takes a mapping of texts, not a list inside it",
                "1:85: error: \"regions\" takes a list of texts, not a list inside it",
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, accept: imagse}}",
            [
                "1:45: error: \"accept\" takes file types such as IMAGES, pdf or image/*, not \"imagse\"; "
                    + "did you mean \"IMAGES\"?"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, accept: []}}",
            [
                "1:45: error: \"accept\" takes file types such as IMAGES, pdf or image/*, not an empty "
                    + "list; write NONE"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, accept: [a/b/c, 'x y', [z]]}}",
            [
                "1:46: error: \"accept\" takes file types such as IMAGES, pdf or image/*, not \"a/b/c\"",
                "1:53: error: \"accept\" takes file types such as IMAGES, pdf or image/*, not \"x y\"",
                "1:60: error: \"accept\" takes file types such as IMAGES, pdf or image/*, not a list",
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, prefix: /a, checksum: md5}}",
            [
                "1:45: error: \"prefix\" takes whole segments such as a/b/, without \".\", \"..\", empty "
                    + "ones or a leading slash",
                "1:59: error: \"checksum\" takes sha256, crc32c or none, not \"md5\"",
            ]
        ),
        Refusal(
            "profiles: {p: {storages: {files: {backend: s3, region: [x]}}}}",
            [
                "1:56: error: \"region\" takes text, not a list"
            ]
        ),
    ]
}
