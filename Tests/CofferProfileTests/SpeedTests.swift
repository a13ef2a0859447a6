// A switch of a hundred storages has 50 ms in all: the resolver must need a small part of it.

import CofferProfile
import Testing

@Suite("Speed")
struct SpeedTests {
    /// A configuration of `count` storages in the manner of the sample.
    static func text(_ count: Int) -> String {
        var text = """
            defaults: {backend: local, root: ./data, on_conflict: error}
            backends:
              s3: {endpoint: 'https://s3/', region: r, access_key: '${env:K}', secret_key: '${file:/s}', url: 'https://u/'}
            profiles:
              development: {defaults: {durability: relaxed}}
              production: {backends: {s3: {endpoint: 'https://t/'}}}
            storages:

            """
        for i in 0..<count {
            text +=
                "  s\(i): {backend: \(i % 2 == 0 ? "s3" : "local"), accept: [images, pdf], max_size: 5MiB, timeout: 10s}\n"
        }
        return text
    }

    @Test func aHundredStoragesAreResolvedInAFractionOfASwitch() throws {
        let text = Self.text(100)
        let clock = ContinuousClock()
        var best = Duration.seconds(60)
        for _ in 0..<5 {
            let start = clock.now
            let configuration = try resolve(text, profile: "production", variables: ["K": "k"], files: ["/s": "s"])
            best = min(best, clock.now - start)
            #expect(configuration.storages.count == 100)
        }
        // Unoptimised and on a busy machine; optimised it is a few milliseconds.
        #expect(best < .milliseconds(500), "\(best)")
        print("100 storages resolved in \(best)")
    }
}
