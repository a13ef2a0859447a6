// The words that `accept` and `deny` take.
package import CofferModel

/// Which file types a storage takes, or refuses.
package struct FileTypeRule: Sendable, Hashable {
    /// One word of a rule.
    package enum Item: Sendable, Hashable {
        /// A named set.
        case set(FileTypeSet)
        /// A file name extension in lower case, without the dot.
        case fileExtension(String)
        /// A MIME type in lower case: `image/png`.
        case type(String)
        /// A family of MIME types: `image` for `image/*`.
        case family(String)
    }

    /// The words, in their order.
    package var items: [Item]
    /// Whether the rule means everything but these.
    package var isAllExcept: Bool

    package init(_ items: [Item], isAllExcept: Bool = false) {
        self.items = items
        self.isAllExcept = isAllExcept
    }

    /// Everything.
    package static let all = FileTypeRule([.set(.all)])
    /// Nothing.
    package static let none = FileTypeRule([.set(.none)])

    /// The extensions that the words name, sets written out.
    package var extensions: Set<String> {
        items.reduce(into: []) { result, item in
            switch item {
            case .set(let set): result.formUnion(set.extensions)
            case .fileExtension(let name): result.insert(name)
            case .type, .family: break
            }
        }
    }

    /// Whether a word of the rule is the set of everything.
    package var namesAll: Bool { items.contains(.set(.all)) }

    /// The rule as one could write it.
    package var text: String {
        let words = items.map { item in
            switch item {
            case .set(let set): set.rawValue.uppercased()
            case .fileExtension(let name): name
            case .type(let name): name
            case .family(let name): "\(name)/*"
            }
        }
        let list = words.count == 1 ? words[0] : "[\(words.joined(separator: ", "))]"
        return isAllExcept ? "{all_except: \(list)}" : list
    }
}
