// Connection strings, as Azure's portal gives them.

package import CofferPluginSDK

/// The parts of a connection string: `AccountName=…;AccountKey=…;EndpointSuffix=…`.
package struct ConnectionString: Sendable {
    package var account: String?
    package var key: String?
    package var signature: String?
    /// `BlobEndpoint`, or what the other parts make.
    package var endpoint: String?

    /// The account of every emulator; its key is no secret, but printed in Microsoft's pages.
    private static let emulator = (
        account: "devstoreaccount1",
        key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        endpoint: "http://127.0.0.1:10000/devstoreaccount1"
    )

    /// Reads a connection string; what is wrong is told without its values.
    package init(_ text: String) throws(BackendError) {
        var parts: [String: String] = [:]
        for part in text.split(separator: ";") {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, !halves[0].isEmpty else {
                throw Options.wrong("connection_string", "is no list of NAME=VALUE with semicolons between")
            }
            parts[halves[0].lowercased()] = String(halves[1])
        }
        if parts["usedevelopmentstorage"]?.lowercased() == "true" {
            (account, key, endpoint) = (Self.emulator.account, Self.emulator.key, Self.emulator.endpoint)
            return
        }
        account = parts["accountname"]
        key = parts["accountkey"]
        signature = parts["sharedaccesssignature"]
        endpoint = parts["blobendpoint"]
        if endpoint == nil, let account {
            let scheme = parts["defaultendpointsprotocol"] ?? "https"
            endpoint = "\(scheme)://\(account).blob.\(parts["endpointsuffix"] ?? "core.windows.net")"
        }
        guard endpoint != nil else {
            throw Options.wrong("connection_string", "names neither AccountName nor BlobEndpoint")
        }
    }
}
