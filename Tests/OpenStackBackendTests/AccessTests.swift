import CofferPluginSDK
import CofferTransport
import OpenStackStore
import Testing

/// Who we are, as options say it, and what is asked and answered at a login.
struct AccessTests {
    private static let person: Properties = [
        "authurl": "https://keys.example.org:5000/v3", "auth_version": "3", "user": "ann", "key": "secret-of-ann",
        "project_name": "films",
    ]

    private func access(_ more: Properties = Properties()) throws -> Access {
        var options = Self.person
        for (name, value) in more { options[name] = value.isEmpty ? nil : value }
        return try Access(Options(options))
    }

    private func question(_ more: Properties = Properties()) throws -> String {
        String(decoding: IdentityQuestion.body(try access(more)), as: UTF8.self)
    }

    @Test func theFirstVersionIsTheDefaultAndWantsAnAccount() throws {
        let access = try Access(Options(["authurl": "http://h/auth/v1.0", "user": "a:b", "key": "k"]))
        #expect(access.way == .v1(user: "a:b", key: "k"))
        #expect(access.service?.target == "/auth/v1.0")
        #expect(IdentityQuestion.body(access).isEmpty)
    }

    @Test(arguments: [
        ("https://k/v3", "/v3/auth/tokens"), ("https://k/v3/", "/v3/auth/tokens"), ("https://k", "/v3/auth/tokens"),
        ("https://k/identity", "/identity/v3/auth/tokens"), ("https://k/v3/auth/tokens", "/v3/auth/tokens"),
    ])
    func keystoneIsFoundWithItsVersionOrWithout(url: String, path: String) throws {
        #expect(try access(["authurl": url]).service?.target == path)
    }

    @Test func aPasswordIsAskedWithUserProjectAndTheUsualDomain() throws {
        #expect(
            try question() == """
                {"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"ann",\
                "domain":{"id":"default"},"password":"secret-of-ann"}}},\
                "scope":{"project":{"name":"films","domain":{"id":"default"}}}}}
                """
        )
    }

    @Test func idsOutrankNames() throws {
        let text = try question(["user_id": "u1", "project_id": "p1", "user_domain_name": "far"])
        #expect(text.contains(#""user":{"id":"u1","password""#))
        #expect(text.contains(#""scope":{"project":{"id":"p1"}}"#))
    }

    @Test func anApplicationCredentialHasItsOwnProject() throws {
        let words: Properties = [
            "application_credential_id": "c1", "application_credential_secret": "s1", "project_name": "", "user": "",
            "key": "",
        ]
        #expect(
            try question(words) == """
                {"auth":{"identity":{"methods":["application_credential"],\
                "application_credential":{"secret":"s1","id":"c1"}}}}
                """
        )
    }

    @Test func aVersion2UserMayCarryItsTenant() throws {
        let options: Properties = ["auth_version": "2", "user": "films:ann", "project_name": ""]
        #expect(try access(options).service?.target == "/v3/v2.0/tokens")
        #expect(
            try question(options) == """
                {"auth":{"passwordCredentials":{"username":"ann","password":"secret-of-ann"},"tenantName":"films"}}
                """
        )
    }

    @Test func wordsOfOtherProgramsAreKnown() throws {
        let access = try access([
            "os_options": #"{"tenant_name":"x","region_name":"R","object_storage_url":"http://s/v1/A"}"#
        ])
        #expect(access.words["project_name"] == "x")
        #expect(access.words["region"] == "R")
        #expect(access.storageURL?.target == "/v1/A")
    }

    @Test(
        arguments: [
            (["os_options": #"{"regoin":"x"}"#], "regoin"), (["key": ""], "key"),
            (["project_name": ""], "project_name"),
            (["auth_version": "4"], "auth_version"), (["auth_version": "1"], "project_name"), (["user": ""], "user"),
            (["application_credential_secret": "very-secret"], "application_credential_secret"),
        ] as [([String: String], String)]
    )
    func whatIsWrongIsNamed(change: [String: String], name: String) throws {
        var more = Properties()
        for (name, value) in change { more[name] = value }
        let error = #expect(throws: BackendError.self) { try access(more) }
        #expect(error?.code == .config)
        #expect(error?.message.contains(name) == true)
        #expect(error?.message.contains("secret-of-ann") == false && error?.message.contains("very-secret") == false)
    }

    // MARK: answers

    private func answer(_ headers: HTTPHeaders, _ body: String = "") -> HTTPAnswer {
        HTTPAnswer(head: HTTPHead(status: 200, headers: headers), body: Array(body.utf8))
    }

    @Test func aHeadTellsTokenAccountAndLife() throws {
        let access = try Access(Options(["authurl": "http://h/auth/v1.0", "user": "a:b", "key": "k"]))
        let headers: HTTPHeaders = [
            "X-Auth-Token": "t", "X-Storage-Url": "http://s:8080/v1/AUTH_a/", "X-Auth-Token-Expires": "100",
        ]
        let session = try IdentityAnswer.session(answer(headers), access, now: 5)
        #expect(session.token == "t" && session.account.target == "/v1/AUTH_a")
        #expect(session.expires == 100_000_000_005)
    }

    private static let catalogue = """
        {"token":{"expires_at":"2030-01-02T03:04:05.000000Z","catalog":[
         {"type":"identity","endpoints":[{"interface":"public","region":"A","url":"http://wrong"}]},
         {"type":"object-store","endpoints":[
          {"interface":"internal","region":"A","region_id":"A","url":"http://ia/v1/x"},
          {"interface":"public","region":"A","region_id":"A","url":"http://pa/v1/x"},
          {"interface":"public","region":"B","region_id":"B","url":"http://pb/v1/x"}]}]}}
        """

    @Test(
        arguments: [
            (["region": "B"], "http://pb"), ([:], "http://pa"), (["endpoint_type": "internalURL"], "http://ia"),
            (["region": "B", "storage_url": "http://mine/v1/y"], "http://mine"),
        ] as [([String: String], String)]
    )
    func theCatalogueIsReadByRegionAndKind(words: [String: String], origin: String) throws {
        var more = Properties()
        for (name, value) in words { more[name] = value }
        let session = try IdentityAnswer.session(
            answer(["X-Subject-Token": "t"], Self.catalogue),
            try access(more),
            now: 0
        )
        #expect(session.account.origin.description == origin)
        #expect(session.expires == HTTPDate.parseISO8601("2030-01-02T03:04:05Z"))
    }

    @Test func whatTheCatalogueLacksIsToldWithWhatItHas() throws {
        let error = #expect(throws: BackendError.self) {
            try IdentityAnswer.session(
                answer(["X-Subject-Token": "t"], Self.catalogue),
                try access(["region": "C"]),
                now: 0
            )
        }
        #expect(error?.code == .config)
        #expect(error?.message.contains("public in B") == true)
    }

    @Test(arguments: ["", "{}", "[", #"{"token":{}}"#])
    func anAnswerWithoutATokenIsNoLogin(body: String) throws {
        let error = #expect(throws: BackendError.self) {
            try IdentityAnswer.session(answer([:], body), try access(), now: 0)
        }
        #expect(error?.code == .config)
    }
}
