// What the places that lend credentials to a container or a machine answer.

import CofferJSON
import CofferTransport

/// Reads the document in which temporary credentials are lent.
package enum RoleDocument {
    /// The credentials of a document; nil if it is none, or says that it failed.
    package static func read(_ body: [UInt8]) -> Credentials? {
        guard let document = try? JSONValue(parsing: body),  // What is no document holds no credentials.
            let accessKey = document["AccessKeyId"]?.stringValue,
            let secretKey = document["SecretAccessKey"]?.stringValue,
            !accessKey.isEmpty, !secretKey.isEmpty
        else { return nil }
        // Machines say so in the document; containers have no such word.
        if let code = document["Code"]?.stringValue, code != "Success" { return nil }
        return Credentials(
            accessKey: accessKey,
            secretKey: secretKey,
            sessionToken: document["Token"]?.stringValue,
            expires: document["Expiration"]?.stringValue.flatMap { HTTPDate.parseISO8601($0) }
        )
    }
}
