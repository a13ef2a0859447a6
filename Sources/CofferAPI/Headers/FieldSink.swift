/// Takes the fields of an answer, one by one.
///
/// A value may come as bytes: no string is made for what goes straight into a head.
package protocol FieldSink {
    mutating func add(_ name: String, _ value: String)
    mutating func add(_ name: String, bytes value: [UInt8])
}

/// Fields as pairs of strings, for whoever wants to look at them.
struct ListedFields: FieldSink {
    var fields: FieldList = []

    mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

    mutating func add(_ name: String, bytes value: [UInt8]) {
        fields.append((name, String(decoding: value, as: UTF8.self)))
    }
}
