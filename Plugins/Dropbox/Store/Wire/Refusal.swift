// What a refusal of Dropbox means.

package import CofferJSON
package import CofferPluginSDK
package import CofferTransport

/// A refusal: a status, and words in the order in which Dropbox nests them, such as `path`, `conflict`, `file`.
package struct Refusal: Sendable {
    private let head: HTTPHead
    /// The words; none where the answer has no error in JSON.
    package let words: [String]
    /// Whether a malformed request is said to be so by its token.
    private var blamesToken = false
    /// The permission that the app lacks, where Dropbox names one.
    private let scope: String?

    /// Reads an answer.
    package init(_ answer: HTTPAnswer) {
        // An answer that is no JSON has no words, and its status tells.
        let document = try? JSONValue(parsing: answer.body)
        self.init(head: answer.head, error: document?["error"])
        // What is no token at all is refused as a malformed request. The text stays here: it may hold what was sent.
        let text = String(decoding: answer.body.prefix(2000), as: UTF8.self).lowercased()
        blamesToken = head.status == 400 && (text.contains("authorization") || text.contains("access token"))
    }

    /// Takes an error as it stands in an answer.
    package init(head: HTTPHead = HTTPHead(status: 409, headers: [:]), error: JSONValue?) {
        self.head = head
        var words: [String] = []
        var next = error
        // A union names its own case, and holds what that says under the case's name, or as a reason.
        while let value = next, words.count < 8 {
            guard let tag = value[".tag"]?.stringValue ?? value.stringValue else {
                next = value["reason"]
                continue
            }
            words.append(tag)
            next = value.objectValue == nil ? nil : value[tag] ?? value["reason"]
        }
        self.words = words
        scope = error?["required_scope"]?.stringValue
    }

    /// Whether a word is among those of the refusal.
    package func says(_ word: String) -> Bool { words.contains { $0.utf8.elementsEqual(word.utf8) } }

    /// Whether nothing is at the path, or something that is no file.
    var isAbsence: Bool { says("not_found") || says("not_file") || says("not_folder") }

    /// Whether a file is where none may be, or another revision.
    var isConflictOfFile: Bool { says("conflict") && !says("folder") && !says("file_ancestor") }

    /// Whether others change the same account at this moment: the same call may pass later, and did nothing.
    var isContention: Bool { says("too_many_write_operations") }

    /// What went wrong, in the words of the ABI.
    package func error(_ doing: String, key: ByteString? = nil) -> BackendError {
        var error = head.failure(doing)
        if !words.isEmpty { error.message = "\(doing): \(words.joined(separator: "/"))" }
        switch head.status {
        case 400 where blamesToken:
            error.code = .unauthenticated
            error.message = "\(doing): the access token is none that dropbox gives"
        case 401: return unauthenticated(error, doing)
        case 409: return conflict(error, doing, key)
        case 422:
            error.code = .config
            error.message = "\(doing): no such namespace for this account: look at namespace"
        default: break
        }
        return error
    }

    private func unauthenticated(_ error: BackendError, _ doing: String) -> BackendError {
        var error = error
        if says("missing_scope") {
            error.code = .permission
            error.message = "\(doing): the app lacks the permission \(scope ?? "for this")"
        } else if says("expired_access_token") {
            error.message = "\(doing): the access token has expired: set refresh_token and app_key"
        } else {
            error.message = "\(doing): dropbox does not take the access token"
        }
        return error
    }

    private func conflict(_ error: BackendError, _ doing: String, _ key: ByteString?) -> BackendError {
        var error = error
        error.code = .io
        if let meaning = Self.meanings.first(where: { says($0.word) }) { error.code = meaning.code }
        error.isRetryable = [.rateLimited, .unavailable].contains(error.code) || says("content_hash_mismatch")
        let name = key.map { ": \($0)" } ?? ""
        switch error.code {
        case .notFound: if let key { error.message = BackendError.notFound(key).message }
        case .alreadyExists:
            let what =
                says("file_ancestor") || says("duplicated_or_nested_paths")
                ? "an object stands where a folder must be"
                : says("folder") ? "a folder has that name" : "already exists"
            error.message = what + name
        case .invalidKey: error.message = "dropbox does not keep such a name\(name)"
        case .quota: error.message = "\(doing): the account is full"
        default: break
        }
        return error
    }

    /// What words mean, the first that is there: those that say more come first.
    private static let meanings: [(word: String, code: BackendError.Code)] = [
        ("too_many_write_operations", .rateLimited), ("too_many_requests", .rateLimited),
        ("conflict", .alreadyExists), ("duplicated_or_nested_paths", .alreadyExists), ("not_found", .notFound),
        ("not_file", .notFound), ("not_folder", .notFound),
        ("malformed_path", .invalidKey), ("disallowed_name", .invalidKey),
        ("insufficient_space", .quota), ("insufficient_quota", .quota), ("upload_traffic_limit_reached", .quota),
        ("team_folder_insufficient_space", .quota), ("member_folder_insufficient_space", .quota),
        ("team_folder_insufficient_quota", .quota), ("member_folder_insufficient_quota", .quota),
        ("too_large", .tooLarge), ("payload_too_large", .tooLarge), ("internal_error", .unavailable),
        ("no_write_permission", .permission), ("access_restricted", .permission), ("team_folder", .permission),
        ("operation_suppressed", .permission), ("restricted_content", .permission), ("locked", .permission),
        ("unsupported_file", .permission), ("unsupported_content_type", .permission), ("not_allowed", .permission),
        ("email_not_verified", .permission), ("encryption_not_supported", .permission),
    ]
}
