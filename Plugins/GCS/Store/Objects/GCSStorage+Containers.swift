// Buckets: listed, made and removed.

import CofferJSON
package import CofferPluginSDK
import CofferTransport

extension GCSStorage {
    package func listContainers(into sink: EntrySink, call: Call) throws(BackendError) {
        let project = try tokens.project(call: call)
        var token: String?
        repeat {
            var query = [
                (name: "project", value: project), (name: "fields", value: "nextPageToken,items(name,timeCreated)"),
            ]
            if let token { query.append((name: "pageToken", value: token)) }
            let question = HTTPRequest("GET", "\(configuration.place.containersPath)?\(encodedQuery(query))")
            let doing = "listing buckets"
            let document = try Self.document(try send(question, doing, call: call), doing)
            for bucket in document["items"]?.arrayValue ?? [] {
                guard let name = bucket["name"]?.stringValue else {
                    throw BackendError(.io, "\(doing): the store lists a bucket without a name")
                }
                let created = ObjectResource.time(bucket["timeCreated"]) ?? Entry.unknownTime
                try sink.send(Entry(ByteString(name), kind: .container, created: created))
            }
            token = document["nextPageToken"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
            try call.check()
        } while token != nil
    }

    package func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError) {
        guard options.isEmpty else { throw .unsupported("an option of a new bucket") }
        let name = try checked(name)
        let query = encodedQuery([(name: "project", value: try tokens.project(call: call))])
        var body = JSONWriter()
        body.object { body in
            body.member("name", name)
            if let location = configuration.bucketLocation { body.member("location", location) }
            if let kind = configuration.storageClass { body.member("storageClass", kind) }
        }
        let question = HTTPRequest(
            "POST",
            "\(configuration.place.containersPath)?\(query)",
            headers: ["Content-Type": "application/json; charset=UTF-8"],
            body: body.bytes
        )
        try send(question, "making the bucket \(name)", call: call)
    }

    package func removeContainer(_ name: ByteString, call: Call) throws(BackendError) {
        let name = try checked(name)
        let answer = try endpoint.send(HTTPRequest("DELETE", configuration.place.containerPath(name)), call: call)
        if answer.head.isSuccess { return }
        switch answer.status {
        case 404: throw BackendError(.notFound, "no such bucket: \(name)", native: 404)
        case 409: throw BackendError(.notEmpty, "the bucket \(name) is not empty", native: 409)
        default: throw Refusal(answer).error(answer, "removing the bucket \(name)", key: nil)
        }
    }

    private func checked(_ name: ByteString) throws(BackendError) -> String {
        guard let text = String(validating: name.bytes, as: UTF8.self), Place.isContainer(text) else {
            throw BackendError(.invalidArgument, "no name of a bucket: \(name)")
        }
        return text
    }
}
