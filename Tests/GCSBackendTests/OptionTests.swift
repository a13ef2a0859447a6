// Options are judged when a storage is opened.

import CofferPluginSDK
import GCSStore
import Testing

@Suite struct OptionTests {
    private func configuration(_ options: Properties, name: String = "avatars") throws(BackendError) -> Configuration {
        try Configuration(name: name, Options(options))
    }

    private func failure(_ options: Properties, name: String = "avatars") -> BackendError? {
        do throws(BackendError) {
            _ = try configuration(options, name: name)
            return nil
        } catch {
            return error
        }
    }

    @Test func theBucketIsTheStoragesNameUnlessItIsSet() throws {
        #expect(try configuration([:]).place.container == "avatars")
        #expect(try configuration(["container": "my-images"]).place.container == "my-images")
        #expect(failure([:], name: "Not A Bucket")?.message.hasPrefix("option container is missing") == true)
    }

    @Test(arguments: [
        ("container", "a/b"), ("container", "UPPER"), ("chunk_size", "100000"), ("chunk_size", "0"),
        ("credentials", "magic"), ("credentials", "key"), ("endpoint", "ftp://x"), ("project", "a b"),
        ("retries", "-1"),
        ("read_concurrency", "65"),
    ])
    func aWrongOptionIsNamed(name: String, value: String) {
        var options = Properties()
        options[name] = value
        let error = failure(options)
        #expect(error?.code == .config)
        #expect(error?.message.contains(name) == true)
    }

    @Test func twoKeysAreOneTooMany() {
        #expect(failure(["credentials_file": "/x", "credentials_json": "{}"])?.code == .config)
        #expect(failure(["credentials_file": "/x", "credentials": "anonymous"])?.code == .config)
    }

    @Test func keysStandInPathsAsOneSegment() throws {
        let place = try configuration(["endpoint": "http://127.0.0.1:1/base/", "public_endpoint": "https://x.org/y"])
            .place
        #expect(place.path("a/b é") == "/base/storage/v1/b/avatars/o/a%2Fb%20%C3%A9")
        #expect(place.uploadPath == "/base/upload/storage/v1/b/avatars/o")
        #expect(place.publicPath("a/b é") == "/y/avatars/a/b%20%C3%A9")
        #expect(
            place.rewritePath(from: "a/b", to: "c")
                == "/base/storage/v1/b/avatars/o/a%2Fb/rewriteTo/b/avatars/o/c"
        )
    }

    @Test(arguments: ["a\nb", "\r", ".", "..", ".well-known/acme-challenge/x"])
    func keysThatGoogleRefusesAreRefusedBefore(key: String) {
        #expect(throws: BackendError.self) { try Place.check(ByteString(key)) }
    }
}
