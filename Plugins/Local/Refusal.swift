// What the kernel answered, before anybody knows what it means for an object.

import CLocal
import CofferPluginSDK
import Glibc

/// A system call's error number.
///
/// Inside the tree an error is still a fact to branch on; `BackendError` is made of it where it is known which object
/// it concerns.
struct Refusal: Error, Equatable {
    /// The error number, positive.
    let number: Int32

    /// The result of a system call, if it is one.
    @discardableResult
    static func check(_ result: Int32) throws(Refusal) -> Int32 {
        if result < 0 { throw Refusal(number: -result) }
        return result
    }

    /// The result of a system call, if it is one.
    @discardableResult
    static func check(_ result: Int64) throws(Refusal) -> Int {
        if result < 0 { throw Refusal(number: Int32(-result)) }
        return Int(result)
    }

    /// The name of the error, for people.
    var words: String { String(cString: strerror(number)).lowercased() }

    /// What this means to a caller who was doing `what`.
    func error(_ what: @autoclosure () -> String) -> BackendError {
        let (code, retryable): (BackendError.Code, Bool) =
            switch number {
            case ENOENT, ENOTDIR, EISDIR, ENXIO: (.notFound, false)
            case EEXIST, ENOTEMPTY: (.alreadyExists, false)
            case EACCES, EPERM, EROFS, ELOOP, EXDEV: (.permission, false)
            case ENOSPC: (.noSpace, false)
            case EDQUOT: (.quota, false)
            case EFBIG: (.tooLarge, false)
            case ENAMETOOLONG, EILSEQ: (.invalidKey, false)
            case EMFILE, ENFILE, ENOMEM, EAGAIN, ENOLCK: (.unavailable, true)
            case ESTALE: (.changed, true)
            default: (.io, false)
            }
        let hint =
            switch number {
            case ELOOP: "a symbolic link stands in its path, and links are not followed"
            case EXDEV: "it lies on another file system than its root"
            default: words
            }
        return BackendError(code, "\(what()): \(hint)", isRetryable: retryable, native: number)
    }
}

/// Runs `body`; what the kernel refuses becomes an error that says what was being done.
@discardableResult
func explaining<R>(_ what: @autoclosure () -> String, _ body: () throws(Refusal) -> R) throws(BackendError) -> R {
    do throws(Refusal) { return try body() } catch { throw error.error(what()) }
}
