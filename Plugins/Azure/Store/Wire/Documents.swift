// The small documents that go to the service and come back.

package import CofferPluginSDK
import CofferTransport
import CofferXML

/// Writes what the service is asked.
package enum Question {
    /// What makes a blob of blocks; their ids are Base64 and need no escapes.
    package static func commit(_ blocks: [String]) -> [UInt8] {
        var text = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>"
        for block in blocks { text += "<Uncommitted>\(block)</Uncommitted>" }
        return Array((text + "</BlockList>").utf8)
    }

    /// What asks for a key of the user's own, for links.
    package static func delegation(from start: String, to expiry: String) -> [UInt8] {
        Array(
            """
            <?xml version="1.0" encoding="utf-8"?><KeyInfo><Start>\(start)</Start><Expiry>\(expiry)</Expiry></KeyInfo>
            """.utf8
        )
    }
}

/// Reads what the service answers.
package enum Answer {
    /// One page of containers with the time of their last change, and what continues the list; nil if it is none.
    package static func containers(_ body: [UInt8]) -> (items: [(name: ByteString, modified: Int64)], next: String?)? {
        guard let document = document(body), document.name == "EnumerationResults" else { return nil }
        let items = (document["Containers"]?.all("Container") ?? []).map { container in
            (
                name: ByteString(container["Name"]?.text ?? ""),
                modified: (container["Properties"]?["Last-Modified"]?.text).flatMap { HTTPDate.parse($0) }
                    ?? Entry.unknownTime
            )
        }
        let next = document["NextMarker"]?.text ?? ""
        return (items, next.isEmpty ? nil : next)
    }

    /// A key of the user's own; nil if it is no such answer.
    package static func delegationKey(_ body: [UInt8]) -> DelegationKey? {
        guard let document = document(body), document.name == "UserDelegationKey",
            let value = document["Value"]?.text, !value.isEmpty
        else { return nil }
        func text(_ name: String) -> String { document[name]?.text ?? "" }
        return DelegationKey(
            object: text("SignedOid"),
            tenant: text("SignedTid"),
            start: text("SignedStart"),
            expiry: text("SignedExpiry"),
            service: text("SignedService"),
            version: text("SignedVersion"),
            value: value
        )
    }

    /// What is no document answers nothing: its reader says so.
    private static func document(_ body: [UInt8]) -> XMLElement? { try? XMLParser.parse(body) }
}

/// Names and values as a query.
package func encodedQuery(_ pairs: [(name: String, value: String)]) -> String {
    pairs.map { "\(percentEncoded($0.name.utf8))=\(percentEncoded($0.value.utf8))" }.joined(separator: "&")
}
