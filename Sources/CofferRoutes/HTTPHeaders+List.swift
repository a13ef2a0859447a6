import CofferAPI
package import CofferHTTP

extension HTTPHeaders: ExpressibleByArrayLiteral {
    /// The fields of `list`, in their order.
    init(_ list: FieldList) {
        self.init()
        for field in list { add(field.name, field.value) }
    }

    package init(arrayLiteral elements: (name: String, value: String)...) { self.init(elements) }
}

extension HTTPHeaders: FieldSink {}
