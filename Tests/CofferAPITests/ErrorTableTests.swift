import CofferAPI
import CofferJSON
import CofferModel
import Testing

@Suite("Failures are the same on every side")
struct ErrorTableTests {
    @Test func eachCodeStandsOnce() {
        let codes = ErrorTable.rows.map(\.code.rawValue)
        #expect(Set(codes).count == codes.count)
        #expect(codes.count == 26)
    }

    @Test(arguments: [
        ("not_found", 404, 3), ("already_exists", 409, 4), ("precondition_failed", 412, 4), ("not_modified", 304, 4),
        ("invalid_key", 400, 2), ("range_invalid", 416, 1), ("too_large", 413, 6), ("bad_type", 415, 6),
        ("checksum_mismatch", 422, 1), ("no_space", 507, 1), ("permission_denied", 403, 5), ("unauthenticated", 401, 5),
        ("unsupported", 501, 1), ("changed", 409, 1), ("rate_limited", 429, 8), ("timeout", 504, 8),
        ("unavailable", 503, 8), ("corrupt", 502, 1), ("cancelled", 499, 1), ("config_invalid", 422, 7),
        ("internal", 500, 1), ("word_of_a_newer_host", 500, 1),
    ])
    func aCodeHasItsStatusAndExitCode(word: String, status: Int, exit: Int32) {
        let code = CofferError.Code(rawValue: word)
        #expect(code.status == status)
        #expect(code.exitCode == exit)
    }

    @Test func everyErrorSurvivesItsDocument() {
        for row in ErrorTable.rows {
            let error = CofferError(
                row.code,
                "what \"happened\" to é",
                storage: "files",
                key: "a/é\u{301}",
                isRetryable: true,
                isMaybeApplied: true,
                retryAfter: 1500
            )
            #expect(Problem.decode(Problem.encode(error), status: row.status) == error)
        }
    }

    @Test func aDocumentHasTheMembersOfRFC9457() throws {
        let error = CofferError(.notFound, "no such object: x", storage: "s", key: "x")
        let text = String(decoding: Problem.encode(error), as: UTF8.self)
        #expect(
            text == #"{"type":"urn:coffer:error:not_found","title":"Not found","status":404,"#
                + #""detail":"no such object: x","code":"not_found","storage":"s","key":"x","retryable":false}"#
        )
    }

    @Test func anAnswerWithoutADocumentIsToldByItsStatus() {
        #expect(Problem.decode(Array("<html>".utf8), status: 404).code == .notFound)
        #expect(Problem.decode([], status: 403).code == .permissionDenied)
        #expect(Problem.decode([], status: 418).code == .invalidArgument)
        #expect(Problem.decode([], status: 599).code == .internal)
    }

    @Test func retryAfterIsRoundedUp() {
        #expect(Problem.retryAfterField(CofferError(.rateLimited, "", retryAfter: 1)) == "1")
        #expect(Problem.retryAfterField(CofferError(.rateLimited, "", retryAfter: 2000)) == "2")
        #expect(Problem.retryAfterField(CofferError(.rateLimited, "")) == nil)
    }
}
