import CofferModel
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (1_700_000_000_123_000_000, "2023-11-14T22:13:20.123Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
        (Int64.max, "2262-04-11T23:47:16.854775807Z"), (Int64.min, "1677-09-21T00:12:43.145224192Z"),
    ])
    func itIsWrittenAndReadAsRFC3339(nanoseconds: Int64, text: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).description == text)
        if nanoseconds != .min { #expect(Timestamp(text)?.nanoseconds == nanoseconds) }
    }

    @Test(arguments: [
        "", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z", "2023-11-14T25:13:20Z",
        "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20.1234567890Z",
    ])
    func whatIsNoTimeOrTooFarAwayIsNil(text: String) {
        #expect(Timestamp(text) == nil)
    }
}
