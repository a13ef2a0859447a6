package import CofferModel

/// Entity tags and the conditions that are made of them (RFC 9110, sections 8.8.3 and 13.1).
package enum EntityTags {
    /// `token` as a field writes it.
    package static func quoted(_ token: String) -> String { "\"\(token)\"" }

    /// A tag of a list.
    package struct Tag: Sendable, Hashable {
        package var token: String
        package var isWeak: Bool
    }

    /// The tags of all values of a field; nil is `*`.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument`, naming `field`.
    package static func parse(_ values: [String], field: String) throws(CofferError) -> [Tag]? {
        var tags: [Tag] = []
        for value in values {
            if value.utf8.elementsEqual("*".utf8) && values.count == 1 { return nil }
            var rest = Array(value.utf8)[...]
            while true {
                rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
                if rest.isEmpty { break }
                var isWeak = false
                if rest.starts(with: [UInt8(ascii: "W"), UInt8(ascii: "/")]) {
                    isWeak = true
                    rest = rest.dropFirst(2)
                }
                guard rest.first == UInt8(ascii: "\""), let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "\""))
                else { throw malformed(field) }
                let token = rest[(rest.startIndex + 1)..<end]
                guard token.allSatisfy({ $0 > 0x20 && $0 != 0x7F }),
                    let text = String(validating: token, as: UTF8.self)
                else { throw malformed(field) }
                tags.append(Tag(token: text, isWeak: isWeak))
                rest = rest[(end + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
                guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { throw malformed(field) }
            }
        }
        guard !tags.isEmpty else { throw malformed(field) }
        return tags
    }

    private static func malformed(_ field: String) -> CofferError {
        CofferError(.invalidArgument, "\(field) must be * or entity tags in double quotes")
    }
}

extension [UInt8] {
    /// Appends `token` as a field writes it.
    mutating func appendQuoted(_ token: String) {
        append(UInt8(ascii: "\""))
        append(contentsOf: token.utf8)
        append(UInt8(ascii: "\""))
    }
}

/// The conditions of a request's head.
package struct RequestConditions: Sendable, Hashable {
    /// `If-Match` and `If-None-Match`.
    package var match: Conditions
    /// `If-Modified-Since`; not set where `If-None-Match` is, which outranks it.
    package var modifiedSince: Timestamp?
    /// `If-Unmodified-Since`; not set where `If-Match` is, which outranks it.
    package var unmodifiedSince: Timestamp?
    /// `If-Range`.
    package var range: RangeCondition?

    /// Reads the conditions of a head; dates that are no dates are ignored, as RFC 9110 says.
    ///
    /// - Throws: ``CofferError`` with `invalid_argument`, naming the field.
    package init(_ fields: FieldLookup) throws(CofferError) {
        match = .none
        let ifMatch = fields("if-match")
        if !ifMatch.isEmpty {
            // Compared strongly: a weak tag never matches.
            let tags = try EntityTags.parse(ifMatch, field: "if-match")
            match.ifMatch = tags.map { .tokens($0.filter { !$0.isWeak }.map(\.token)) } ?? .any
        }
        let ifNoneMatch = fields("if-none-match")
        if !ifNoneMatch.isEmpty {
            // Compared weakly: a weak tag matches the strong one of the same text.
            let tags = try EntityTags.parse(ifNoneMatch, field: "if-none-match")
            match.ifNoneMatch = tags.map { .tokens($0.map(\.token)) } ?? .any
        }
        if match.ifNoneMatch == nil {
            modifiedSince = fields("if-modified-since").first.flatMap(HTTPDate.parse)
        }
        if match.ifMatch == nil {
            unmodifiedSince = fields("if-unmodified-since").first.flatMap(HTTPDate.parse)
        }
        range = fields("if-range").first.map(RangeCondition.init(parsing:))
    }
}

/// Under which condition a range is honoured (RFC 9110, section 13.1.5).
package enum RangeCondition: Sendable, Hashable {
    /// The object still has this strong token.
    case token(String)
    /// The object was last modified at exactly this second.
    case modified(Timestamp)
    /// A weak tag or no tag at all: never.
    case never

    package init(parsing value: String) {
        if let date = HTTPDate.parse(value) {
            self = .modified(date)
        } else if let tags = try? EntityTags.parse([value], field: "if-range"), tags.count == 1, !tags[0].isWeak {
            // A malformed tag cannot match: the answer is then the whole object, which is always right.
            self = .token(tags[0].token)
        } else {
            self = .never
        }
    }

    /// Whether the range of a request holds for `info`; where not, the whole object is the answer.
    package func allows(_ info: ObjectInfo) -> Bool {
        switch self {
        case .token(let token): info.etag.map { $0.utf8.elementsEqual(token.utf8) } ?? false
        case .modified(let time): info.modified.map { $0.seconds == time.seconds } ?? false
        case .never: false
        }
    }
}
