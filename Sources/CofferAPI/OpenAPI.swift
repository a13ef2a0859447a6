/// The contract as an OpenAPI document.
package enum OpenAPI {
    /// The document as JSON.
    package static let document: [UInt8] = Array("{}".utf8)
}
