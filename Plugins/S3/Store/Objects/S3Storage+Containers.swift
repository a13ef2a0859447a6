// Buckets: listed, made and removed.

package import CofferPluginSDK
import CofferTransport

extension S3Storage {
    package func listContainers(into sink: EntrySink, call: Call) throws(BackendError) {
        var question = HTTPRequest("GET", configuration.place.accountPath)
        question.origin = configuration.place.accountOrigin
        let answer = try send(question, "listing buckets", call: call)
        guard let containers = Answer.containers(answer.body) else {
            throw BackendError(.io, "the store's list of buckets cannot be read")
        }
        for (name, created) in containers {
            let time = HTTPDate.parseISO8601(created) ?? Entry.unknownTime
            try sink.send(Entry(name, kind: .container, created: time))
        }
    }

    package func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError) {
        guard options.isEmpty else { throw .unsupported("an option of a new bucket") }
        var question = HTTPRequest("PUT", try path(of: name))
        question.origin = configuration.place.accountOrigin
        let region = configuration.region
        if configuration.traits.locatesContainers && region != "us-east-1" {
            question.headers.add("Content-Type", "application/xml")
            question.body = Question.location(region)
        }
        try send(question, "making the bucket \(name)", call: call)
    }

    package func removeContainer(_ name: ByteString, call: Call) throws(BackendError) {
        var question = HTTPRequest("DELETE", try path(of: name))
        question.origin = configuration.place.accountOrigin
        let answer = try endpoint.send(question, call: call)
        if answer.head.isSuccess { return }
        let refusal = Refusal(answer)
        if answer.status == 404 {
            throw BackendError(.notFound, "no such bucket: \(name)", native: 404)
        }
        throw refusal.error(answer, "removing the bucket \(name)", key: nil)
    }

    private func path(of name: ByteString) throws(BackendError) -> String {
        guard Place.isContainer(name.string) else {
            throw BackendError(.invalidArgument, "no name of a bucket: \(name)")
        }
        return configuration.place.containerPath(name)
    }
}
