import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer completion`.
    static let completion = CommandSpec(
        "completion",
        "bash|zsh|fish",
        1...2,
        "print the completions of a shell",
        details: """
            bash:  source <(coffer completion bash)
            zsh:   coffer completion zsh > "${fpath[1]}/_coffer"
            fish:  coffer completion fish > ~/.config/fish/completions/coffer.fish

            The scripts ask with objects, storages or profiles, and the word so far, for what only the host knows.
            """,
        completes: .word(["bash", "zsh", "fish"])
    ) { session, output throws(Failure) in
        let word = session.operands.count > 1 ? session.operands[1] : ""
        switch session.operands[0] {
        case "bash": output.write(Completion.bash)
        case "zsh": output.write(Completion.zsh)
        case "fish": output.write(Completion.fish)
        case "objects": try objects(word, &session, &output)
        case "storages":
            let channel = session.channel
            let list = try about("storages") { () throws(CofferError) in try channel.storages() }
            for storage in list.storages where storage.name.hasPrefix(word) { output.line(storage.name) }
        case "profiles":
            let channel = session.channel
            let list = try about("profiles") { () throws(CofferError) in try channel.profiles() }
            for profile in list.profiles where profile.name.hasPrefix(word) { output.line(profile.name) }
        case let shell: throw .usage("completion: \(shell) is none of bash, zsh, fish", command: "completion")
        }
        return 0
    }
}

/// Writes the addresses that `word` may become: storages, and one level of objects.
private func objects(_ word: String, _ session: inout Session, _ output: inout Output) throws(Failure) {
    let address = Address(word)
    let isBare = !word.utf8.contains(UInt8(ascii: ":"))
    let channel = session.channel
    if isBare {
        let list = try about("storages") { () throws(CofferError) in try channel.storages() }
        for storage in list.storages where storage.name.hasPrefix(word) { output.line("\(storage.name):") }
    }
    let storage = try session.storage(of: address)
    let parameters = ListParameters(prefix: address.key, delimiter: "/", limit: 200)
    let page = try about(word) { () throws(CofferError) in try channel.page(storage, parameters) }
    let start = isBare ? "" : "\(address.storage ?? ""):"
    for prefix in page.prefixes { output.line(start + prefix) }
    for object in page.objects { output.line(start + object.key.text) }
}
