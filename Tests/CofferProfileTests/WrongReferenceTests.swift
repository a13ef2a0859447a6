// References that stand for nothing.

import CofferProfile
import Testing

@Suite("A wrong reference")
struct WrongReferenceTests {
    @Test("is refused at its place", arguments: Self.refusals)
    func refused(_ refusal: Refusal) {
        let errors = CofferProfileTests.refusal(of: refusal.text, variables: ["HOME": "/home/u"])
        #expect(errors.filter { !$0.contains(": warning: ") } == refusal.errors)
    }

    static let refusals: [Refusal] = [
        Refusal(
            "storages: {files: {backend: '${env:B}'}}",
            [
                "1:29: error: \"backend\" takes no references; let a profile choose the backend"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, url: '${env:HOM}'}}",
            [
                "1:42: error: the environment variable \"HOM\" is not set; did you mean \"HOME\"?"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, url: '${foo:HOM}'}}",
            [
                "1:42: error: an unknown reference, expected ${env:NAME}, ${env:NAME:-default} or "
                    + "${file:/path}; write $$ for a dollar sign"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, url: '${env:HOM'}}",
            [
                "1:42: error: a reference without its }; write $$ for a dollar sign"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, url: '${env:1X}'}}",
            [
                "1:42: error: a reference to a variable is ${env:NAME} or ${env:NAME:-default}"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, url: '${HOME}'}}",
            [
                "1:42: error: an unknown reference, expected ${env:NAME}, ${env:NAME:-default} or "
                    + "${file:/path}; write $$ for a dollar sign"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, max_size: '${env:HOME}'}}",
            [
                "1:47: error: \"max_size\" takes a size such as 5MiB, at least 1B, not what its reference "
                    + "stands for"
            ]
        ),
    ]
}
