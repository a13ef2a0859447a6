import CofferModel
import CofferService
import CofferSystem
import Testing

@Suite struct AccessPolicyTests {
    private let stranger = PeerCredentials(user: 1001, group: 100, process: 1, groups: [100, 33])

    @Test func theHostsOwnUserAndRootMayDoEverything() throws {
        let policy = AccessPolicy(hostUser: 500)
        for user in [UInt32(0), 500] {
            let caller = PeerCredentials(user: user, group: 1, process: 1)
            for permission in Permission.allCases {
                try policy.check(permission, for: caller, storage: "files", text: "a")
            }
        }
    }

    @Test func nobodyElseMayDoAnythingWithoutARule() {
        let policy = AccessPolicy(hostUser: 500)
        for permission in Permission.allCases {
            #expect(throws: CofferError.self) { try policy.check(permission, for: stranger, storage: "files") }
        }
    }

    @Test func aRefusalNamesTheCallerAndTheRuleToAdd() {
        let error = #expect(throws: CofferError.self) {
            try AccessPolicy(hostUser: 500).check(.upload, for: stranger, storage: "files", text: "a")
        }
        #expect(error?.code == .permissionDenied)
        #expect(
            error?.message
                == "user 1001 may not upload in files; to allow it, add to access: { uid: 1001, allow: [upload], storages: [files] }"
        )
    }

    @Test(arguments: [
        (AccessRule(user: 1001, permissions: [.download]), "files", "a", true),
        (AccessRule(user: 1002, permissions: [.download]), "files", "a", false),
        (AccessRule(group: 33, permissions: [.download]), "files", "a", true),
        (AccessRule(group: 34, permissions: [.download]), "files", "a", false),
        (AccessRule(user: 1001, group: 34, permissions: [.download]), "files", "a", false),
        (AccessRule(user: 1001, permissions: [.upload]), "files", "a", false),
        (AccessRule(user: 1001, permissions: [.download], storages: ["files"]), "files", "a", true),
        (AccessRule(user: 1001, permissions: [.download], storages: ["other"]), "files", "a", false),
        (AccessRule(user: 1001, permissions: [.download], prefix: "in/"), "files", "in/a", true),
        (AccessRule(user: 1001, permissions: [.download], prefix: "in/"), "files", "inn", false),
        (AccessRule(user: 1001, permissions: [.download], prefix: "in/"), "files", "", false),
        (AccessRule(permissions: [.download]), "files", "a", false),
    ])
    func aRuleGrantsWhatItSaysAndNothingElse(rule: AccessRule, storage: String, text: String, granted: Bool) {
        let policy = AccessPolicy(hostUser: 500, rules: [rule])
        let result = Result { try policy.check(.download, for: stranger, storage: storage, text: text) }
        let isGranted = (try? result.get()) != nil
        #expect(isGranted == granted)
    }

    @Test func aRuleForSomeStoragesDoesNotManageTheHost() {
        let narrow = AccessPolicy(
            hostUser: 500,
            rules: [
                AccessRule(user: 1001, permissions: [.manage], storages: ["files"])
            ]
        )
        #expect(throws: CofferError.self) { try narrow.check(.manage, for: stranger) }
        let wide = AccessPolicy(hostUser: 500, rules: [AccessRule(user: 1001, permissions: [.manage])])
        #expect(throws: Never.self) { try wide.check(.manage, for: stranger) }
    }
}
