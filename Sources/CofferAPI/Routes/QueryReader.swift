package import CofferModel

/// The parameters of a query, decoded once, checked against what a route takes.
package struct QueryReader: Sendable {
    private var values: [(name: String, value: String)] = []

    /// Reads `raw`; `known` are the parameters that the route takes.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument` for a parameter that is unknown, given twice or not
    ///   percent-encoded UTF-8: none is ever silently unused.
    package init(_ raw: ArraySlice<UInt8>, known: [String]) throws(CofferError) {
        for pair in raw.split(separator: UInt8(ascii: "&")) {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            guard let name = PercentCoding.decode(pair[..<equals]),
                let value = PercentCoding.decode(pair[equals...].dropFirst())
            else {
                throw CofferError(.invalidArgument, "the query is not percent-encoded UTF-8")
            }
            guard known.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                let takes = known.isEmpty ? "none" : known.joined(separator: ", ")
                throw CofferError(.invalidArgument, "unknown parameter \(name); this route takes \(takes)")
            }
            guard self[name] == nil else { throw CofferError(.invalidArgument, "the parameter \(name) is there twice") }
            values.append((name, value))
        }
    }

    /// Refuses texts that are longer than `parameters` allow, or that no key could match.
    package func check(_ parameters: [QueryParameter]) throws(CofferError) {
        for parameter in parameters {
            guard case .text(let limit) = parameter.kind, let text = self[parameter.name] else { continue }
            guard text.utf8.count <= limit else {
                throw CofferError(.invalidArgument, "\(parameter.name) is longer than \(limit) bytes")
            }
            guard !text.utf8.contains(0) else { throw CofferError(.invalidArgument, "\(parameter.name) has a NUL") }
        }
    }

    /// The value of `name`; nil where it is absent.
    package subscript(name: String) -> String? { values.first { $0.name == name }?.value }

    /// The truth value of `name`; false where it is absent.
    package func bool(_ name: String) throws(CofferError) -> Bool {
        switch self[name] {
        case nil, "false": false
        case "true": true
        default: throw CofferError(.invalidArgument, "\(name) must be true or false")
        }
    }

    /// The whole number `name` within `range`; nil where it is absent.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(CofferError) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text), range.contains(number), text.utf8.first != UInt8(ascii: "+") else {
            throw CofferError(.invalidArgument, "\(name) must be \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The rule for a key that is taken; nil where it is absent.
    package func onConflict() throws(CofferError) -> OnConflict? {
        guard let text = self["on_conflict"] else { return nil }
        return try OnConflict(checking: text)
    }
}

extension OnConflict {
    /// The rule that `text` names.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument`.
    package init(checking text: String) throws(CofferError) {
        guard let rule = OnConflict(rawValue: text) else {
            throw CofferError(.invalidArgument, "on_conflict must be error, replace or rename, not \(text)")
        }
        self = rule
    }
}
