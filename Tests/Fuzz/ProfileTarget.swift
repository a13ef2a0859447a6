// Texts that somebody calls a configuration: each is resolved or refused with a reason, whatever it is.

import CofferModel
import CofferProfile

private let backends = [
    BackendSchema(
        id: "local",
        options: [
            OptionSchema("root", .path, isRequired: true, doc: "Where the objects lie."),
            OptionSchema("durability", .enum, default: "full", choices: ["full", "relaxed"]),
            OptionSchema("shards", .int, default: "0", minimum: 0, maximum: 256),
        ]
    ),
    BackendSchema(id: "memory", options: [OptionSchema("size", .size, default: "64MiB", minimum: 1024)]),
    BackendSchema(
        id: "s3",
        options: [
            OptionSchema("endpoint", .url, isRequired: true),
            OptionSchema("secret_key", .string, isSecret: true, isLive: true),
            OptionSchema("container", .string, deprecatedAlias: "bucket"),
            OptionSchema("retry_for", .duration, default: "30s"),
            OptionSchema("path_style", .bool, default: "false"),
            OptionSchema("headers", .map), OptionSchema("regions", .list),
        ]
    ),
    BackendSchema(id: "odd", options: [OptionSchema("token", .string, isSecret: true)], isOpen: true),
]

private let secret = "hunter2-hunter2"

private let sources = ConfigurationSources(
    variable: { $0 == "A" ? "1" : $0 == "S" ? secret : nil },
    variableNames: { ["A", "S"] },
    file: { (path, limit) throws(CofferProfile.FileFailure) in
        switch path {
        case "/c/x.yaml": return Array("storages: {x: {backend: memory}}".utf8)
        case "/x": return Array("y".utf8)
        default: throw CofferProfile.FileFailure("no such file")
        }
    }
)

/// What the fuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let data else { return 0 }
    do throws(ConfigurationError) {
        let bytes = Array(UnsafeBufferPointer(start: data, count: size))
        let text = try ConfigurationText.parse(bytes, path: "/c/coffer.yaml", sources: sources)
        let configuration = try text.resolve(backends: backends)
        _ = configuration.report()
        _ = configuration.jsonReport()
        _ = try text.checkAll(backends: backends)
    } catch {
        precondition(!error.errors.isEmpty, "a refusal without a reason")
        precondition(!error.description.isEmpty && !error.summary.message.isEmpty, "a reason without words")
        precondition(!error.description.contains(secret), "a secret in a refusal")
    }
    return 0
}
