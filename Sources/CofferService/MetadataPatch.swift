// What may be changed of an object without writing its bytes again.
import CofferModel

/// What a change of metadata does to each field.
package struct MetadataPatch: Sendable {
    /// What becomes of one value.
    package enum Field: Sendable, Hashable {
        case keep
        case set(String)
        case clear
    }

    package var contentType: Field = .keep
    package var contentEncoding: Field = .keep
    package var contentDisposition: Field = .keep
    package var contentLanguage: Field = .keep
    package var cacheControl: Field = .keep
    /// By name; what is not named stays.
    package var user: [(name: String, change: UserChange)] = []

    /// What becomes of one name of user metadata.
    package enum UserChange: Sendable, Hashable {
        case set(String)
        case remove
    }

    package init() {}
}

extension MetadataPatch {
    /// The metadata after this change.
    func applied(to metadata: Metadata) -> Metadata {
        var result = metadata
        contentType.apply(to: &result.contentType)
        contentEncoding.apply(to: &result.contentEncoding)
        contentDisposition.apply(to: &result.contentDisposition)
        contentLanguage.apply(to: &result.contentLanguage)
        cacheControl.apply(to: &result.cacheControl)
        for (name, change) in user {
            let name = name.lowercased()
            result.user.removeAll { $0.name.utf8.elementsEqual(name.utf8) }
            if case .set(let value) = change { result.user.append(UserMetadata(name, value)) }
        }
        return result
    }
}

extension MetadataPatch.Field {
    fileprivate func apply(to value: inout String?) {
        switch self {
        case .keep: break
        case .set(let text): value = text
        case .clear: value = nil
        }
    }
}
