// What the server's refusals mean to a caller.

import CofferPluginSDK

extension Reply {
    /// What this refusal of `what` means; the caller handles beforehand what only it can know.
    func error(_ what: @autoclosure () -> String) -> BackendError {
        let (code, isRetryable): (BackendError.Code, Bool) =
            switch self.code {
            case 426 where saysFull: (.noSpace, false)
            case 421, 425, 426, 434, 450: (.unavailable, true)
            case 430, 530, 532: (.unauthenticated, false)
            // Many a full disk is called a local error: repeating it may fail for ever.
            case 451: saysFull ? (.noSpace, false) : (.io, false)
            case 452: (.noSpace, false)
            case 552: saysQuota ? (.quota, false) : (.noSpace, false)
            case 500...504, 522: (.unsupported, false)
            case 533...537: (.permission, false)
            case 550, 553: (meaning, false)
            case 551: (.io, false)
            default: (.io, false)
            }
        return BackendError(
            code,
            "\(what()): the server answered \(self.code) \(words)",
            isRetryable: isRetryable,
            native: Int32(self.code)
        )
    }

    /// 550 and 553 stand for everything; the words are all there is.
    private var meaning: BackendError.Code {
        if saysFull { return .noSpace }
        if saysQuota { return .quota }
        if says(["no such", "not found", "cannot find", "does not exist", "not exist"]) { return .notFound }
        return .permission
    }

    private var saysFull: Bool { says(["no space", "disk full", "not enough space", "insufficient disk"]) }
    private var saysQuota: Bool { says(["quota"]) }
    /// Whether the words are about rights and not about what is there.
    var saysForbidden: Bool {
        says(["permission", "denied", "not permitted", "read-only", "forbidden", "not allowed"])
    }
    /// Whether the words are about too many of us.
    var saysCrowded: Bool { code == 421 || says(["too many", "maximum", "connection limit", "max clients"]) }

    private func says(_ texts: [String]) -> Bool {
        let said = Array(words.lowercased().utf8)
        return texts.contains { text in
            let wanted = Array(text.utf8)
            guard said.count >= wanted.count else { return false }
            return (0...(said.count - wanted.count)).contains { said[$0...].starts(with: wanted) }
        }
    }
}
