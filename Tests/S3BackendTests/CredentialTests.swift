import CofferPluginSDK
import CofferTransport
import S3Store
import Testing

/// Credentials are found where others keep them, and options are judged.
struct CredentialTests {
    private let file = SharedCredentialsFile(
        """
        # mine
        [default]
        aws_access_key_id = AK
        aws_secret_access_key=S=K/+ ; not of the key
        region = eu-west-2
        s3 =
          aws_access_key_id = nested
        [profile other]
        AWS_ACCESS_KEY_ID = OTHER
        aws_secret_access_key = secret
        aws_session_token = token
        [empty]
        [half]
        aws_access_key_id = X
        """
    )

    @Test func profilesAreRead() {
        #expect(file.credentials(profile: "default") == Credentials(accessKey: "AK", secretKey: "S=K/+"))
        let other = Credentials(accessKey: "OTHER", secretKey: "secret", sessionToken: "token")
        #expect(file.credentials(profile: "other") == other)
        for name in ["empty", "half", "absent"] { #expect(file.credentials(profile: name) == nil) }
    }

    @Test func keysThatAreLentAreRead() {
        let text = """
            {"Code": "Success", "AccessKeyId": "ASIA", "SecretAccessKey": "S", "Token": "T",
             "Expiration": "2026-11-21T14:56:28Z"}
            """
        let lent = RoleDocument.read(Array(text.utf8))
        #expect(lent?.accessKey == "ASIA")
        #expect(lent?.sessionToken == "T")
        #expect(lent?.expires == 1_795_272_988_000_000_000)
        for text in ["", "{}", "{\"Code\": \"Failed\", \"AccessKeyId\": \"a\", \"SecretAccessKey\": \"b\"}", "[]"] {
            #expect(RoleDocument.read(Array(text.utf8)) == nil)
        }
    }

    private func configuration(_ options: Properties, name: String = "avatars") throws -> Configuration {
        try Configuration(name: name, Options(options))
    }

    @Test func theContainerIsTheStoragesNameAndStandsBeforeTheHost() throws {
        let place = try configuration(["endpoint": "https://s3-eu-west-2.amazonaws.com", "region": "eu-west-2"]).place
        #expect(place.container == "avatars")
        #expect(place.origin.authority == "avatars.s3-eu-west-2.amazonaws.com")
        #expect(place.path("a b/é") == "/a%20b/%C3%A9")
        #expect(place.source("a b") == "/avatars/a%20b")
        let other = try configuration(["endpoint": "http://127.0.0.1:9000/base/", "container": "x"]).place
        #expect(other.origin.authority == "127.0.0.1:9000")
        #expect(other.path("k") == "/base/x/k")
        #expect(other.containerPath == "/base/x")
    }

    @Test(
        arguments: [
            (["provider": "r2", "account_id": "abc"], "abc.r2.cloudflarestorage.com", "auto"),
            (["provider": "b2", "region": "us-west-004"], "s3.us-west-004.backblazeb2.com", "us-west-004"),
            (["provider": "spaces", "region": "fra1"], "fra1.digitaloceanspaces.com", "fra1"),
            (["provider": "scaleway", "region": "fr-par"], "s3.fr-par.scw.cloud", "fr-par"),
            (
                ["provider": "oracle", "namespace": "ns", "region": "eu-frankfurt-1"],
                "ns.compat.objectstorage.eu-frankfurt-1.oraclecloud.com", "eu-frankfurt-1"
            ),
            (["region": "eu-central-1"], "s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ] as [(Properties, String, String)]
    )
    func providersHaveEndpoints(options: Properties, host: String, region: String) throws {
        let configuration = try configuration(options)
        #expect(configuration.place.accountOrigin.host == host)
        #expect(configuration.region == region)
        #expect(Provider.guess(host: host) == configuration.provider)
    }

    @Test(
        arguments: [
            (["provider": "r2"], "account_id"), (["provider": "b2"], "region"), (["provider": "minio"], "endpoint"),
            (["endpoint": "https://h", "access_key": "a"], "secret_key"),
            (["endpoint": "https://h", "secret_key": "hush"], "access_key"),
            (["endpoint": "https://h", "container": "a/b"], "container"), (["endpoint": "h"], "endpoint"),
            (["endpoint": "https://h", "region": "a b"], "region"),
            (["endpoint": "https://h", "part_size": "1"], "part_size"),
            (["endpoint": "https://h", "customer_key": "hush"], "customer_key"),
            (["endpoint": "https://h", "provider": "nobody"], "provider"),
            (["endpoint": "https://h", "acl": "private\r\nx: y"], "acl"),
            (["provider": "r2", "account_id": "x", "acl": "private"], "acl"),
        ] as [(Properties, String)]
    )
    func aWrongOptionIsNamed(options: Properties, name: String) {
        do {
            _ = try configuration(options)
            Issue.record("\(name) was taken")
        } catch let error as BackendError {
            #expect(error.code == .config)
            #expect(error.message.contains("option \(name)"))
            #expect(!error.message.contains("hush"))
        } catch {
            Issue.record(error)
        }
    }
}
