// Stand-ins for what the host gives the room: option tables, variables and files.

import CofferProfile
import Testing

/// The backends that these tests know; `s3` is a stand-in for a plugin of that name.
let backends = [
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
            OptionSchema("region", .string, default: "us-east-1"),
            OptionSchema("access_key", .string, isSecret: true),
            OptionSchema("secret_key", .string, isSecret: true, isLive: true),
            OptionSchema("container", .string, deprecatedAlias: "bucket"),
            OptionSchema("part_size", .size, default: "8MiB", minimum: 5 << 20),
            OptionSchema("retry_for", .duration, default: "30s"),
            OptionSchema("path_style", .bool, default: "false"),
            OptionSchema("headers", .map),
            OptionSchema("regions", .list),
        ]
    ),
    BackendSchema(id: "odd", options: [OptionSchema("token", .string, isSecret: true)], isOpen: true),
]

/// A world of variables and files, none of it real.
func world(_ variables: [String: String] = [:], files: [String: String] = [:]) -> ConfigurationSources {
    ConfigurationSources(
        variable: { variables[$0] },
        variableNames: { variables.keys.sorted() },
        file: { (path, limit) throws(CofferProfile.FileFailure) in
            guard let text = files[path] else { throw CofferProfile.FileFailure("no such file") }
            guard text.utf8.count <= limit else { throw CofferProfile.FileFailure("more than \(limit) bytes") }
            return Array(text.utf8)
        }
    )
}

/// The configuration that `text` gives as `/c/coffer.yaml`.
func resolve(
    _ text: String,
    profile: String? = nil,
    variables: [String: String] = [:],
    files: [String: String] = [:]
) throws(ConfigurationError) -> Configuration {
    let text = try ConfigurationText.parse(
        Array(text.utf8),
        path: "/c/coffer.yaml",
        sources: world(variables, files: files)
    )
    return try text.resolve(
        backends: backends,
        selection: profile.map { ProfileSelection($0, by: .argument("--profile")) }
    )
}

/// What refuses `text`, one line for each finding, errors and warnings; empty if nothing does.
func refusal(
    of text: String,
    profile: String? = nil,
    variables: [String: String] = [:],
    files: [String: String] = [:]
) -> [String] {
    do throws(ConfigurationError) {
        _ = try resolve(text, profile: profile, variables: variables, files: files)
        return []
    } catch {
        return error.diagnostics.map { $0.description.replacing("/c/coffer.yaml:", with: "") }
    }
}

extension Configuration {
    /// The active setting `key` of `storage` as text.
    func value(_ key: String, of storage: String = "files") -> String? {
        setting(key, of: storage)?.value?.description
    }

    func setting(_ key: String, of storage: String = "files") -> ResolvedSetting? {
        self.storage(storage)?.resolved.first { $0.key == key }
    }

    /// What the plugin gets as `name`.
    func option(_ name: String, of storage: String = "files") -> String? {
        self.storage(storage)?.options.first { $0.name == name }?.value.unmasked
    }
}

/// The text of a file beside the package's sources.
func repositoryFile(_ path: String) throws -> String {
    let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let bytes = try ConfigurationSources.readFile("/\(here)/\(path)", limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self)
}
