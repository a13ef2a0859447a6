import CofferJSON
package import CofferModel

/// The profiles of the configuration: `GET /v1/profiles`.
public struct ProfileList: Sendable, Hashable {
    /// One profile.
    public struct Profile: Sendable, Hashable {
        /// Its name.
        public var name: String
        /// The profile it builds on.
        public var extends: String?

        /// Creates a profile.
        public init(name: String, extends: String? = nil) {
            self.name = name
            self.extends = extends
        }
    }

    /// In the order of the configuration.
    public var profiles: [Profile]
    /// The active one.
    public var active: String
    /// Who decided: the command line, the environment, `coffer profile use` or the configuration.
    public var decidedBy: String
    /// The generation of the configuration.
    public var generation: Int64

    /// Creates a list.
    public init(profiles: [Profile], active: String, decidedBy: String, generation: Int64) {
        self.profiles = profiles
        self.active = active
        self.decidedBy = decidedBy
        self.generation = generation
    }

    /// The list as a JSON document: `{profiles, active, decided_by, generation}`.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.name("profiles")
            $0.array {
                for profile in profiles {
                    $0.object {
                        $0.member("name", profile.name)
                        $0.member("extends", profile.extends)
                        $0.member("active", profile.name == active)
                    }
                }
            }
            $0.member("active", active)
            $0.member("decided_by", decidedBy)
            $0.member("generation", generation)
        }
        return writer.bytes
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        var profiles: [Profile] = []
        for reader in try body.objects("profiles") {
            profiles.append(
                Profile(name: try reader.string("name"), extends: try reader.optionalString("extends"))
            )
        }
        self.init(
            profiles: profiles,
            active: try body.string("active"),
            decidedBy: try body.optionalString("decided_by") ?? "",
            generation: try body.optionalInteger("generation") ?? 0
        )
    }
}

/// What a switch or a reload led to: `{profile, generation}`.
public struct ActivationResult: Sendable, Hashable {
    /// The profile that is active now.
    public var profile: String
    /// The generation that answers from now on.
    public var generation: Int64

    /// Creates a result.
    public init(profile: String, generation: Int64) {
        self.profile = profile
        self.generation = generation
    }

    /// The result as a JSON document.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("profile", profile)
            $0.member("generation", generation)
        }
        return writer.bytes
    }

    /// Reads the document that ``encode()`` writes.
    package init(parsing bytes: [UInt8]) throws(CofferError) {
        let body = try BodyReader(parsing: bytes)
        self.init(
            profile: try body.string("profile"),
            generation: try body.required("generation", try body.optionalInteger("generation"))
        )
    }
}
