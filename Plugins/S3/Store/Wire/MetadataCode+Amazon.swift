// User metadata in the headers of S3.

package import CofferMetadata
package import CofferTransport

extension MetadataCode {
    private static let amazon = MetadataCode(header: "x-amz-meta-")

    /// The code for headers of S3.
    package init(keepsUnderscores: Bool = true, valueLimit: Int = 0) {
        self.init(header: Self.amazon.header, keepsUnderscores: keepsUnderscores, valueLimit: valueLimit)
    }

    /// One of our own values; nil where there is none.
    package static func own(_ name: String, in headers: HTTPHeaders) -> String? { amazon.own(name, in: headers) }

    /// Adds one of our own values.
    package static func addOwn(_ name: String, _ value: String, to headers: inout HTTPHeaders) {
        amazon.addOwn(name, value, to: &headers)
    }

    /// Every one of our own values.
    package static func owns(_ headers: HTTPHeaders) -> [(name: String, value: String)] { amazon.owns(headers) }
}
