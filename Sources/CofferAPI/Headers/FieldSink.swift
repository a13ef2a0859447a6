/// Takes the fields of an answer, one by one.
package protocol FieldSink {
    mutating func add(_ name: String, _ value: String)
    /// Takes a field whose value `write` appends where it belongs, without a string; none if it appends nothing.
    mutating func add(_ name: String, writing write: (inout [UInt8]) -> Void)
}

/// Fields as pairs of strings, for whoever wants to look at them.
struct ListedFields: FieldSink {
    var fields: FieldList = []

    mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

    mutating func add(_ name: String, writing write: (inout [UInt8]) -> Void) {
        var value: [UInt8] = []
        write(&value)
        if !value.isEmpty { fields.append((name, String(decoding: value, as: UTF8.self))) }
    }
}
