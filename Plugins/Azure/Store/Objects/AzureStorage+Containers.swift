// Containers: listed, made and removed.

package import CofferPluginSDK
import CofferTransport

extension AzureStorage {
    package func listContainers(into sink: EntrySink, call: Call) throws(BackendError) {
        var marker: String?
        repeat {
            let query = "?comp=list" + (marker.map { "&marker=\(percentEncoded($0.utf8))" } ?? "")
            let question = HTTPRequest("GET", configuration.place.accountPath + query)
            let answer = try send(question, "listing containers", call: call)
            guard let page = Answer.containers(answer.body) else {
                throw BackendError(.io, "the store's list of containers cannot be read")
            }
            for item in page.items {
                try sink.send(Entry(item.name, kind: .container, modified: item.modified))
            }
            marker = page.next
        } while marker != nil
    }

    package func makeContainer(_ name: ByteString, options: Properties, call: Call) throws(BackendError) {
        guard options.isEmpty else { throw .unsupported("an option of a new container") }
        let question = HTTPRequest("PUT", try path(of: name))
        try send(question, "making the container \(name)", call: call)
    }

    package func removeContainer(_ name: ByteString, call: Call) throws(BackendError) {
        let path = try path(of: name)
        // The service would remove all that is in it too.
        let page = try ListingDocument(
            try sendToContainer(HTTPRequest("GET", path + "&comp=list&maxresults=1"), name, call: call).body
        )
        guard page.items.isEmpty, page.next == nil else {
            throw BackendError(.notEmpty, "the container is not empty: \(name)", native: 409)
        }
        try sendToContainer(HTTPRequest("DELETE", path), name, call: call)
    }

    @discardableResult
    private func sendToContainer(
        _ request: HTTPRequest,
        _ name: ByteString,
        call: Call
    ) throws(BackendError) -> HTTPAnswer {
        let answer = try endpoint.send(request, call: call)
        if answer.head.isSuccess { return answer }
        if answer.status == 404 { throw BackendError(.notFound, "no such container: \(name)", native: 404) }
        throw Refusal(answer).error(answer, "removing the container \(name)", key: nil)
    }

    private func path(of name: ByteString) throws(BackendError) -> String {
        guard BlobName.isContainer(name.string) else {
            throw BackendError(.invalidArgument, "no name of a container: \(name)")
        }
        return configuration.place.containerPath(name) + "?restype=container"
    }
}
