import CofferAPI
import CofferModel

/// Conditions as fields of a request.
enum ConditionFields {
    static func fields(of conditions: Conditions) -> FieldList {
        var fields: FieldList = []
        if let match = conditions.ifMatch { fields.append(("If-Match", text(match))) }
        if let match = conditions.ifNoneMatch { fields.append(("If-None-Match", text(match))) }
        return fields
    }

    private static func text(_ match: Conditions.Match) -> String {
        switch match {
        case .any: "*"
        case .tokens(let tokens): tokens.map(EntityTags.quoted).joined(separator: ", ")
        }
    }
}
