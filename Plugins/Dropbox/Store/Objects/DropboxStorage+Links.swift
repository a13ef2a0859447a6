// Links of Dropbox, which work for four hours without an account.

import CofferJSON
package import CofferPluginSDK

extension DropboxStorage {
    package func presign(_ request: PresignRequest, call: Call) throws(BackendError) -> PresignedURL {
        guard request.method.utf8.elementsEqual("GET".utf8) else {
            // An upload link takes a POST, which no link for PUT may be.
            throw .unsupported("a link for \(request.method)")
        }
        guard (1...Self.lifeOfLinks).contains(request.expiresSeconds) else {
            throw BackendError(.invalidArgument, "a link of dropbox works for four hours")
        }
        // The type of the answer goes by the file's name.
        if !request.filename.isEmpty || !request.responseType.isEmpty || !request.contentType.isEmpty {
            throw .unsupported("a name or a type on a link")
        }
        if request.size != nil || !request.query.isEmpty { throw .unsupported("a binding of a link") }
        let question: JSONValue = ["path": .string(try names.path(of: request.key))]
        let asked = wallClock()
        let reply = try ask("files/get_temporary_link", question, "linking to \(request.key)", call: call)
        let answer = try reply.result("linking to \(request.key)", key: request.key)
        guard let link = answer["link"]?.stringValue else {
            throw BackendError(.io, "linking to \(request.key): dropbox gives no link")
        }
        // However long was asked for: the host is told how long it is.
        let expires = asked / 1_000_000_000 + Int64(Self.lifeOfLinks)
        return PresignedURL(url: link, expires: expires)
    }
}
