// The page `docs/profiles.md`, made from the same tables that check a configuration.
import CofferModel

/// The whole reference of the configuration as Markdown.
package func profileReference() -> String {
    let parts = [
        ReferenceText.introduction, ReferenceText.example, ReferenceText.precedence,
        "## Keys", section("At the top level", .top), section("In a profile", .profile), storageKeys,
        ReferenceText.fileTypes, fileTypeSets, ReferenceText.conditions,
        section("`socket`", .socket), ReferenceText.socket,
        section("A rule of `access`", .access), ReferenceText.access,
        section("`limits`", .limits), section("An entry of `plugins`", .plugin), ReferenceText.plugins,
        ReferenceText.values, ReferenceText.references, ReferenceText.profiles, ReferenceText.files,
        ReferenceText.errors,
    ]
    return parts.joined(separator: "\n\n") + "\n"
}

private func section(_ title: String, _ place: Place) -> String {
    "### \(title)\n\n" + table(KeyTable.rows(in: place))
}

private func table(_ rows: [KeyRow], places: Bool = false) -> String {
    let head =
        places
        ? ["| key | type | default | may stand in | |", "| --- | --- | --- | --- | --- |"]
        : ["| key | type | default | |", "| --- | --- | --- | --- |"]
    let lines = rows.map { row in
        let cells =
            ["`\(row.name)`", row.typeName, defaultText(of: row)] + (places ? [placeNames(of: row)] : [])
            + [row.schema.doc + range(of: row.schema)]
        return "| \(cells.joined(separator: " | ")) |"
    }
    return (head + lines).joined(separator: "\n")
}

private var storageKeys: String {
    """
    ### In a storage, in `backends.ID` and in `defaults`

    These are the host's own and mean the same for every backend. The options of the backend stand beside them;
    `coffer plugin list` shows each plugin's table.

    \(table(KeyTable.rows(in: .storage), places: true))
    """
}

private func placeNames(of row: KeyRow) -> String {
    let names: [(Place, String)] = [(.storage, "storage"), (.backend, "backend"), (.defaults, "defaults")]
    return names.filter { row.places.contains($0.0) }.map(\.1).joined(separator: ", ")
}

private func defaultText(of row: KeyRow) -> String {
    if let words = row.defaultWords { return words }
    if row.schema.isRequired { return "required" }
    guard let text = row.schema.defaultText else { return "–" }
    return text.isEmpty ? "empty" : "`\(text)`"
}

/// The limits of a value that are worth a word: a least value of 1 is not.
private func range(of schema: OptionSchema) -> String {
    switch (schema.minimum, schema.maximum) {
    case (let low?, let high?) where schema.type == .int: " From \(low) to \(high)."
    default: ""
    }
}

private var fileTypeSets: String {
    let lines = FileTypeSet.allCases.map { set in
        let name = "`\(set.rawValue.uppercased())`"
        return switch set {
        case .all: "| \(name) | everything |"
        case .none: "| \(name) | nothing |"
        case .defaults: "| \(name) | `TEXT`, `DOCUMENTS`, `IMAGES` and `DATA` |"
        default: "| \(name) | \(set.extensions.joined(separator: ", ")) |"
        }
    }
    return (["| set | extensions |", "| --- | --- |"] + lines).joined(separator: "\n")
}
