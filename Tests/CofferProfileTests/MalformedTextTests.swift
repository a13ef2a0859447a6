// What is no YAML, or YAML that a configuration does not take.

import CofferProfile
import Testing

@Suite("A malformed text")
struct MalformedTextTests {
    @Test("is refused at its place", arguments: Self.refusals)
    func refused(_ refusal: Refusal) {
        let errors = CofferProfileTests.refusal(of: refusal.text, variables: ["HOME": "/home/u"])
        #expect(errors.filter { !$0.contains(": warning: ") } == refusal.errors)
    }

    static let refusals: [Refusal] = [
        Refusal(
            "storages: {files: {url: ${env:A}}}",
            ["1:26: error: did not find expected ',' or '}'; put quotes around a reference inside { } or [ ]"]
        ),
        Refusal(
            "a: 1\na: 2\n",
            [
                "2:1: error: the key \"a\" is written twice, first on line 1"
            ]
        ),
        Refusal(
            "storages:\n  files: {}\n  files: {}\n",
            [
                "3:3: error: the key \"files\" is written twice, first on line 2"
            ]
        ),
        Refusal(
            "storages: &a {x: *a}",
            [
                "1:18: error: the alias \"a\" stands inside what it names"
            ]
        ),
        Refusal(
            "storages: *nope",
            [
                "1:11: error: no anchor \"nope\" before this"
            ]
        ),
        Refusal(
            "storages: !!map {}",
            [
                "1:11: error: the tag \"!!map\" is not taken; values get their type from the key"
            ]
        ),
        Refusal(
            "storages: !foo bar",
            [
                "1:11: error: the tag \"!foo\" is not taken; values get their type from the key"
            ]
        ),
        Refusal(
            "storages:\n\tfiles: {}",
            [
                "2:1: error: a tab where YAML wants spaces"
            ]
        ),
        Refusal(
            "- a\n- b",
            [
                "1:1: error: a configuration is a mapping of keys, not a list"
            ]
        ),
        Refusal(
            "just text",
            [
                "1:1: error: a configuration is a mapping of keys, not text"
            ]
        ),
        Refusal(
            "a: b: c",
            [
                "1:5: error: mapping values are not allowed in this context"
            ]
        ),
        Refusal(
            "{a: 1",
            [
                "2:1: error: did not find expected ',' or '}'"
            ]
        ),
        Refusal(
            "--- \n{}\n---\n{}\n",
            [
                "3:1: error: a second document; one file holds one"
            ]
        ),
        Refusal(
            "storages: {files: {backend: memory, <<: 3}}",
            [
                "1:41: error: << takes a mapping or a list of mappings, not text"
            ]
        ),
        Refusal(
            "storages: {[a]: b}",
            [
                "1:12: error: a key must be plain text"
            ]
        ),
        Refusal(
            "storages: {'': {}}",
            [
                "1:12: error: an empty key"
            ]
        ),
    ]
}
