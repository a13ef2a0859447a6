import CCofferPlugin
import CofferBackend
import CofferModel

/// Conditions as the ABI takes them: one token, `*`, or nil for none.
struct Tokens {
    var ifMatch: String?
    var ifNoneMatch: String?
    /// Whether one of them is unproven.
    var isUnproven = false
}

extension PluginBackend {
    /// The conditions of a read; a list of tokens becomes the one that matters now.
    @inline(__always)
    func readConditions(
        _ key: Key,
        _ version: String?,
        _ conditions: Conditions,
        _ call: Call
    ) throws(CofferError) -> Tokens {
        if version != nil { try require(COFFER_CAP_VERSIONS, key: key) }
        if conditions.isEmpty { return Tokens() }
        try require(COFFER_CAP_READ_CONDITION, key: key)
        return Tokens(
            ifMatch: try oneMatch(conditions.ifMatch, key, version, call),
            ifNoneMatch: try oneNoneMatch(conditions.ifNoneMatch, key, version, call)
        )
    }

    /// The conditions of a write: a version to replace, or "create only".
    func writeConditions(_ key: Key, _ conditions: Conditions, _ call: Call) throws(CofferError) -> Tokens {
        var isUnproven = false
        if conditions.ifMatch != nil { isUnproven = try self.isUnproven(COFFER_CAP_IF_MATCH, key: key) }
        if conditions.ifNoneMatch != nil, try self.isUnproven(COFFER_CAP_CREATE_IF_ABSENT, key: key) {
            isUnproven = true
        }
        return Tokens(
            ifMatch: try oneMatch(conditions.ifMatch, key, nil, call),
            ifNoneMatch: try createOnly(conditions.ifNoneMatch, key),
            isUnproven: isUnproven
        )
    }

    /// `*`, the only thing that a write may not match.
    func createOnly(_ match: Conditions.Match?, _ key: Key) throws(CofferError) -> String? {
        switch match {
        case nil: return nil
        case .any: return "*"
        case .tokens: throw CofferError(.unsupported, "a write can only be told not to replace anything", key: key)
        }
    }

    /// The one token that must match: of several, the one that the object has now.
    func oneMatch(
        _ match: Conditions.Match?,
        _ key: Key,
        _ version: String?,
        _ call: Call
    ) throws(CofferError) -> String? {
        switch match {
        case nil: return nil
        case .any: return "*"
        case .tokens(let tokens):
            let possible = tokens.filter(Self.canBeToken)
            if possible.count == 1 { return possible[0] }
            guard !possible.isEmpty, let etag = try presentToken(key, version, call),
                possible.contains(where: { $0.utf8.elementsEqual(etag.utf8) })
            else { throw CofferError(.preconditionFailed, "no token of the condition matches", key: key) }
            return etag
        }
    }

    /// The one token that must not match: of several, the one that the object has now, if it has one of them.
    private func oneNoneMatch(
        _ match: Conditions.Match?,
        _ key: Key,
        _ version: String?,
        _ call: Call
    ) throws(CofferError) -> String? {
        switch match {
        case nil: return nil
        case .any: return "*"
        case .tokens(let tokens):
            let possible = tokens.filter(Self.canBeToken)
            if possible.count <= 1 { return possible.first }
            let etag = try presentToken(key, version, call)
            return possible.first { $0.utf8.elementsEqual((etag ?? "").utf8) } ?? possible.first
        }
    }

    /// Neither nothing nor the star, which would mean something else in the ABI.
    private static func canBeToken(_ token: String) -> Bool {
        !token.isEmpty && token.utf8.count < 1024 && token != "*"
    }

    /// The token of the object as it is now; nil if there is no object.
    private func presentToken(_ key: Key, _ version: String?, _ call: Call) throws(CofferError) -> String? {
        do throws(CofferError) {
            return try stat(ReadRequest(key: key, version: version), call).etag
        } catch  where error.code == .notFound {
            return nil
        }
    }
}
