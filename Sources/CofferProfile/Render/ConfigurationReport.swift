// What `config show` and `config check` print; secrets are masked.
import CofferJSON

extension Configuration {
    /// The effective settings and their origins as aligned text: of `storage`, or of every one.
    ///
    /// nil if there is no such storage.
    package func report(storage name: String? = nil) -> String? {
        if let name {
            guard let storage = storage(name) else { return nil }
            return storage.report + "\n"
        }
        let profile = activeProfile.map { "profile \($0) (by \(decidedBy.description))" } ?? "no profile"
        var blocks = [profile]
        if let defaultStorage { blocks[0] += "\ndefault storage \(defaultStorage)" }
        blocks += storages.map(\.report)
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// The same as JSON.
    package func jsonReport(storage name: String? = nil) -> String? {
        if let name, storage(name) == nil { return nil }
        var json = JSONWriter(isIndented: true)
        json.object { json in
            json.member("profile", activeProfile)
            json.member("decided_by", decidedBy.description)
            json.member("default_storage", defaultStorage)
            json.name("storages")
            json.array { json in
                for storage in storages where name.map({ $0.isSame(as: storage.name) }) ?? true {
                    storage.write(to: &json)
                }
            }
            json.name("warnings")
            json.array { json in
                for warning in warnings { warning.write(to: &json) }
            }
        }
        return String(decoding: json.bytes, as: UTF8.self) + "\n"
    }

    /// The line of a configuration that passes the check, after its warnings.
    package var checkReport: String {
        let count = storages.count == 1 ? "1 storage" : "\(storages.count) storages"
        let profile = activeProfile.map { "profile \($0)" } ?? "no profile"
        let lines = warnings.map(\.description)
        return (lines + ["\(files.first ?? "the configuration"): ok, \(profile), \(count)"]).joined(separator: "\n")
            + "\n"
    }
}

extension ConfigurationError {
    /// The findings and their number, for `config check`.
    package var checkReport: String {
        let count = errors.count == 1 ? "1 error" : "\(errors.count) errors"
        return (diagnostics.map(\.description) + [count]).joined(separator: "\n") + "\n"
    }

    /// The findings as a JSON object.
    package var jsonReport: String {
        var json = JSONWriter(isIndented: true)
        json.object { json in
            json.name("diagnostics")
            json.array { json in
                for finding in diagnostics { finding.write(to: &json) }
            }
        }
        return String(decoding: json.bytes, as: UTF8.self) + "\n"
    }
}

extension Diagnostic {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("severity", severity.rawValue)
            json.member("file", file)
            json.member("line", line.map { Int64($0) })
            json.member("column", column.map { Int64($0) })
            json.member("message", message)
            json.member("hint", hint)
        }
    }
}

extension ResolvedStorage {
    /// The storage as three aligned columns: key, value, origin with its note.
    fileprivate var report: String {
        let rows = resolved.map { setting in
            (setting.key, setting.value.map { Self.shown($0.description) } ?? "-", setting.originAndNote)
        }
        let keys = rows.map { $0.0.unicodeScalars.count }.max() ?? 0
        // A few very long values must not push every origin out of sight.
        let values = min(rows.map { $0.1.unicodeScalars.count }.max() ?? 0, 48)
        let lines = rows.map { "  \(Self.padded($0.0, keys))  \(Self.padded($0.1, values))  \($0.2)" }
        return (["storage \(name)"] + lines).joined(separator: "\n")
    }

    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("name", name)
            json.member("backend", backend)
            json.name("settings")
            json.array { json in
                for setting in resolved { setting.write(to: &json) }
            }
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
    }

    /// Empty text as "", and nothing that could move a cursor.
    private static func shown(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        return isPlain ? text : JSONValue.string(text).description
    }
}

extension ResolvedSetting {
    fileprivate var originAndNote: String { note.map { "\(origin.description); \($0)" } ?? origin.description }

    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("key", key)
            json.member("value", value?.normalForm)
            json.member("secret", isSecret)
            json.member("active", isActive)
            json.name("origin")
            json.object { json in
                json.member("layer", origin.layerName)
                json.member("file", origin.mark?.file)
                json.member("line", (origin.mark?.line).map { Int64($0) })
                json.member("column", (origin.mark?.column).map { Int64($0) })
            }
            json.member("note", note)
        }
    }
}
