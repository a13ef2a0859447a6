// What conditions mean once it is known what is there.
import CofferModel

extension Conditions {
    /// Throws where an object that is there may not be read under these conditions.
    func checkForReading(_ info: ObjectInfo) throws(CofferError) {
        if let ifMatch {
            try requireToken(info, for: ifMatch)
            guard ifMatch.isSatisfied(by: info.etag, exists: true) else {
                throw CofferError(.preconditionFailed, "the object is another version", key: info.key)
            }
        }
        if let ifNoneMatch {
            try requireToken(info, for: ifNoneMatch)
            guard !ifNoneMatch.isSatisfied(by: info.etag, exists: true) else {
                throw CofferError(.notModified, "the object is still that version", key: info.key)
            }
        }
    }

    /// Throws where a change may not happen to what is there, or is not (nil).
    func checkForChange(_ info: ObjectInfo?, key: Key) throws(CofferError) {
        if let ifMatch {
            if let info { try requireToken(info, for: ifMatch) }
            guard ifMatch.isSatisfied(by: info?.etag, exists: info != nil) else {
                throw CofferError(
                    .preconditionFailed,
                    info == nil ? "there is no object to match" : "the object is another version",
                    key: key
                )
            }
        }
        if let ifNoneMatch {
            if let info { try requireToken(info, for: ifNoneMatch) }
            guard !ifNoneMatch.isSatisfied(by: info?.etag, exists: info != nil) else {
                throw ifNoneMatch == .any
                    ? CofferError(.alreadyExists, "there is an object under that key", key: key)
                    : CofferError(.preconditionFailed, "the object is that version", key: key)
            }
        }
    }

    private func requireToken(_ info: ObjectInfo, for match: Match) throws(CofferError) {
        guard case .tokens = match, info.etag == nil else { return }
        throw CofferError(.unsupported, "the store gives no tokens that conditions could compare", key: info.key)
    }
}
