import CofferJSON
import CofferPluginSDK
import LibcloudStore
import Testing

/// The options.
@Suite struct ConfigurationTests {
    private func configuration(_ more: Properties = [:]) throws(BackendError) -> Configuration {
        var values: Properties = ["provider": "s3_rgw", "key": "user", "secret": "password", "python": "/bin/sh"]
        for (name, value) in more { values[name] = value }
        return try Configuration(name: "photos", Options(values))
    }

    @Test func theStorageNamesTheContainer() throws {
        #expect(try configuration().container == "photos")
        #expect(try configuration(["container": "other"]).container == "other")
    }

    @Test func theDriverGetsWhatIsSetAndNothingElse() throws {
        let arguments = try configuration(["port": "80", "secure": "false", "region": "here"]).arguments
        #expect(
            arguments.members.map(\.name).sorted() == ["key", "port", "region", "secret", "secure"]
        )
        #expect(arguments["port"] == 80 && arguments["secure"] == false)
    }

    @Test func argumentsAreJSONWhereTheyReadAsSuch() {
        #expect(Configuration.argument("4") == 4)
        #expect(Configuration.argument("true") == true)
        #expect(Configuration.argument("\"4\"") == "4")
        #expect(Configuration.argument("3.x_password") == "3.x_password")
        #expect(Configuration.argument("[1]") == [1])
    }

    @Test func secretsAreKnownSoThatMessagesCanLeaveThemOut() throws {
        let secrets = try configuration(["arguments": #"{"token": "hidden-token", "timeout": "30"}"#]).secrets
        #expect(secrets == ["password", "hidden-token"])
    }

    @Test(arguments: [
        ("provider", ""), ("provider", "../x"), ("port", "70000"), ("container", "a/b"), ("processes", "1"),
        ("arguments", #"{"key": "x"}"#), ("arguments", #"{"a b": "x"}"#), ("python", "/nowhere/python3"),
        ("python", "python-of-nobody"), ("enforces", "maybe"), ("keeps", "maybe"),
    ])
    func aWrongOptionIsNamed(option: String, value: String) {
        let error = refusal { () throws(BackendError) in try configuration([option: value]) }
        #expect(error?.code == .config)
        #expect(error?.message.hasPrefix("option \(option) ") == true)
    }

    @Test func nothingIsPromisedOfAProviderThatNobodyHasTried() throws {
        let unknown = try configuration(["provider": "azure_blobs"]).native
        #expect(!unknown.contains(.atomicReplace) && !unknown.contains(.userMetadata) && unknown.contains(.write))
        let told = try configuration(["provider": "azure_blobs", "enforces": "native", "keeps": "metadata"]).native
        #expect(told.contains([.atomicReplace, .readPinned, .contentType, .userMetadata, .checksum]))
        #expect(try configuration().native.contains([.atomicReplace, .readPinned, .userMetadata]))
        #expect(try !configuration(["enforces": "none"]).native.contains(.atomicReplace))
    }

    @Test func theDriverForADirectoryIsNotBetterThanItIs() throws {
        #expect(try !configuration(["provider": "local"]).native.contains(.atomicReplace))
        for (option, value) in [("enforces", "native"), ("keeps", "metadata")] {
            let error = refusal { () throws(BackendError) in
                try configuration(["provider": "local", option: value])
            }
            #expect(error?.code == .config)
        }
    }
}
