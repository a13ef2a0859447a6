// What `config show` and `config check` print; secrets are masked.

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
        var json = JSONWriter()
        json.object { json in
            json.field("profile", activeProfile)
            json.field("decided_by", decidedBy.description)
            json.field("default_storage", defaultStorage)
            json.array("storages") { json in
                for storage in storages where name.map({ $0.isSame(as: storage.name) }) ?? true {
                    storage.write(to: &json)
                }
            }
            json.array("warnings") { json in
                for warning in warnings { warning.write(to: &json) }
            }
        }
        return json.text + "\n"
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
        var json = JSONWriter()
        json.object { json in
            json.array("diagnostics") { json in
                for finding in diagnostics { finding.write(to: &json) }
            }
        }
        return json.text + "\n"
    }
}

extension Diagnostic {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("severity", severity.rawValue)
            json.field("file", file)
            json.field("line", line)
            json.field("column", column)
            json.field("message", message)
            json.field("hint", hint)
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
            json.field("name", name)
            json.field("backend", backend)
            json.array("settings") { json in
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
        return isPlain ? text : JSONWriter.quoted(text)
    }
}

extension ResolvedSetting {
    fileprivate var originAndNote: String { note.map { "\(origin.description); \($0)" } ?? origin.description }

    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("key", key)
            json.field("value", value?.description)
            json.field("secret", isSecret)
            json.field("active", isActive)
            json.object("origin") { json in
                json.field("layer", origin.layerName)
                json.field("file", origin.mark?.file)
                json.field("line", origin.mark?.line)
                json.field("column", origin.mark?.column)
            }
            json.field("note", note)
        }
    }
}
