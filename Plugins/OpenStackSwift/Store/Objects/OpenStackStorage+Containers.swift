// Containers: listed, made and removed.

import CofferJSON
package import CofferPluginSDK
import CofferTransport

extension OpenStackStorage {
    package func listContainers(into sink: EntrySink, call: Call) throws(BackendError) {
        let place = try place(call: call)
        let limit = 1000
        var marker = ""
        while true {
            let account = place.account.isEmpty ? "/" : place.account
            let answer = try page(of: account, at: place, prefix: "", after: marker, limit: limit, call: call)
            guard answer.head.isSuccess else { throw Refusal.error(answer, "listing containers") }
            let document = try? JSONValue(parsing: answer.body)  // What is no document is told below.
            guard let lines = answer.body.isEmpty ? [] : document?.arrayValue else {
                throw BackendError(.io, "the store's list of containers cannot be read")
            }
            for line in lines {
                guard let name = line["name"]?.stringValue else { continue }
                try sink.send(Entry(ByteString(name), kind: .container))
                marker = name
            }
            if lines.count < limit { return }
        }
    }

    package func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError) {
        guard options.isEmpty else { throw .unsupported("an option of a new container") }
        try check(name)
        let place = try place(call: call)
        var question = HTTPRequest("PUT", place.containerPath(name))
        // Links of a container that we make work at once.
        if let key = configuration.linkKey, name.bytes.elementsEqual(place.container.utf8) {
            question.headers.add("X-Container-Meta-Temp-URL-Key", key)
        }
        try send(question, at: place, "making the container \(name)", call: call)
    }

    package func removeContainer(_ name: ByteString, call: Call) throws(BackendError) {
        try check(name)
        let place = try place(call: call)
        let answer = try place.endpoint.send(HTTPRequest("DELETE", place.containerPath(name)), call: call)
        switch answer.status {
        case _ where answer.head.isSuccess: break
        case 404: throw BackendError(.notFound, "no such container: \(name)", native: 404)
        case 409: throw BackendError(.notEmpty, "the container is not empty: \(name)", native: 409)
        default: throw Refusal.error(answer, "removing the container \(name)")
        }
        guard name.bytes.elementsEqual(place.container.utf8) else { return }
        // Its segments went with its objects; one that is not empty or was never there stays as it is.
        _ = try? place.endpoint.send(HTTPRequest("DELETE", place.segmentsPath), call: call)
        knowledge.withLock { $0 = Knowledge() }
    }

    private func check(_ name: ByteString) throws(BackendError) {
        guard Configuration.isContainer(name.string) else {
            throw BackendError(.invalidArgument, "no name of a container: \(name)")
        }
    }
}
