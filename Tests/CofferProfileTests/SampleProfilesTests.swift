// The sample configuration of the documentation, in each of its profiles, and the other examples.

import CofferModel
import CofferProfile
import Testing

@Suite("The sample")
struct SampleProfilesTests {
    private let secrets = ["AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"]
    private let files = ["/run/secrets/s3_secret": "wJalrXUtnFEMI\n"]

    private func sample(_ profile: String?, extra: String = "") throws -> Configuration {
        let text = try repositoryFile("examples/profiles/coffer.yaml")
        return try resolve(text, profile: profile, variables: secrets, files: files)
    }

    @Test func productionPutsEachStorageWhereTheDocumentationSays() throws {
        let configuration = try sample("production")
        #expect(configuration.storages.map(\.name) == ["files", "avatars", "images"])
        #expect(configuration.storages.map(\.backend) == ["local", "s3", "s3"])
        #expect(
            configuration.storages.map(\.settings.url) == [
                "https://files.somewhere.com/", "https://s3.somewhere.com/avatars/", "https://images.somewhere.com/",
            ]
        )
        #expect(configuration.option("root", of: "files") == "/c/data/files")
        #expect(configuration.option("endpoint", of: "avatars") == "https://s3-eu-west-2.amazonaws.com")
        #expect(configuration.option("container", of: "avatars") == "avatars")
        #expect(configuration.option("access_key", of: "avatars") == "AKIDEXAMPLE")
        #expect(configuration.option("secret_key", of: "images") == "wJalrXUtnFEMI")
        #expect(configuration.storage("avatars")?.settings.maxSize == 5 << 20)
        #expect(configuration.storage("avatars")?.settings.accept == FileTypeRule([.set(.images)]))
        #expect(configuration.defaultStorage == "files")
        #expect(configuration.activeProfile == "production")
        #expect(configuration.decidedBy == .argument("--profile"))
        #expect(configuration.profileNames == ["development", "staging", "production"])
    }

    @Test func developmentNeedsNoSecretsAndIsLocal() throws {
        let text = try repositoryFile("examples/profiles/coffer.yaml")
        let configuration = try resolve(text)
        #expect(configuration.activeProfile == "development")
        #expect(configuration.decidedBy.description == "/c/coffer.yaml:2:10")
        #expect(configuration.storages.map(\.backend) == ["local", "local", "local"])
        #expect(configuration.option("root", of: "avatars") == "/c/data/avatars")
        #expect(configuration.storage("avatars")?.settings.url == nil)
        #expect(configuration.storage("avatars")?.settings.maxSize == 5 << 20)
        #expect(configuration.storage("images")?.settings.url == "https://images.somewhere.com/")
        #expect(
            configuration.setting("backend", of: "avatars")?.origin.layerName == "profiles.development.storages.avatars"
        )
    }

    @Test func developmentShowsOptionsOfTheOtherBackendInactive() throws {
        let text = try repositoryFile("examples/profiles/coffer.yaml")
            .replacing("max_size: 5MiB }", with: "max_size: 5MiB, part_size: 6MiB, secret_key: hush }")
        let configuration = try resolve(text)
        let part = try #require(configuration.setting("part_size", of: "avatars"))
        #expect(!part.isActive)
        #expect(part.value?.description == "6MiB")
        #expect(part.note == "inactive: backend \"local\" has no such option")
        #expect(configuration.setting("secret_key", of: "avatars")?.value?.description == "********")
        #expect(configuration.option("part_size", of: "avatars") == nil)
        #expect(
            configuration.warnings.map(\.message) == [
                "\"part_size\" has no effect on the storage \"avatars\": backend \"local\" has no such option",
                "\"secret_key\" has no effect on the storage \"avatars\": backend \"local\" has no such option",
            ]
        )
        let production = try resolve(text, profile: "production", variables: secrets, files: files)
        #expect(production.option("part_size", of: "avatars") == "6291456")
        #expect(production.warnings.isEmpty)
    }

    @Test func stagingExtendsProductionWithAnEndpointOfItsOwn() throws {
        let configuration = try sample("staging")
        #expect(configuration.option("endpoint", of: "avatars") == "https://s3.staging.internal")
        #expect(
            configuration.setting("endpoint", of: "avatars")?.origin.description
                == "/c/coffer.yaml:24:67 (profiles.staging.backends.s3)"
        )
        #expect(configuration.storage("avatars")?.settings.url == "https://s3.somewhere.com/avatars/")
        #expect(configuration.option("region", of: "avatars") == "eu-west-2")
    }

    @Test func productionWithoutItsSecretsNamesThemAtTheirPlaces() throws {
        let text = try repositoryFile("examples/profiles/coffer.yaml")
        #expect(
            refusal(of: text, profile: "production") == [
                "13:17: error: the environment variable \"AWS_ACCESS_KEY_ID\" is not set; "
                    + "set it, or write ${env:AWS_ACCESS_KEY_ID:-default}",
                "14:17: error: the file \"/run/secrets/s3_secret\" cannot be read: no such file",
            ]
        )
    }

    @Test func checkAllResolvesWhatTheActiveProfileDoesNotUse() throws {
        let text = try ConfigurationText.parse(
            Array(try repositoryFile("examples/profiles/coffer.yaml").utf8),
            path: "/c/coffer.yaml",
            sources: world()
        )
        #expect(throws: ConfigurationError.self) { try text.checkAll(backends: backends) }
        let whole = try ConfigurationText.parse(
            Array(try repositoryFile("examples/profiles/coffer.yaml").utf8),
            path: "/c/coffer.yaml",
            sources: world(secrets, files: files)
        )
        #expect(try whole.checkAll(backends: backends).isEmpty)
    }

    @Test("every example passes the check", arguments: ["local.yaml", "memory.yaml", "switch.yaml", "team.yaml"])
    func example(_ name: String) throws {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try ConfigurationText.read(
            "/\(here)/examples/profiles/\(name)",
            sources: ConfigurationSources(variable: { _ in nil })
        )
        #expect(try text.checkAll(backends: backends).isEmpty)
        let configuration = try text.resolve(backends: backends)
        #expect(!configuration.storages.isEmpty)
    }
}
