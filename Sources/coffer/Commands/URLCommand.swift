import CofferAPI
import CofferClient
import CofferModel

extension CommandSpec {
    /// The command `coffer url`.
    static let url = CommandSpec(
        "url",
        "KEY…",
        1...Int.max,
        "show the public URLs of objects",
        completes: .object
    ) { session, output throws(Failure) in
        var steps = Steps()
        for word in session.operands {
            steps.attempt { () throws(Failure) in
                let place = try session.place(word)
                let channel = session.channel
                let url = try about("\(place)") { () throws(CofferError) in try channel.url(place.storage, place.key) }
                if session.isJSON { output.document(URLAnswer.encode(url)) } else { output.line(url) }
            }
        }
        return steps.outcome
    }
}
