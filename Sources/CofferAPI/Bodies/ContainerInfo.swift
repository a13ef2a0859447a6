import CofferJSON
public import CofferModel

/// What a store calls a bucket, a container, a share or a directory.
public struct ContainerInfo: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// When it was made; nil where the store does not say.
    public var created: Timestamp?

    /// Creates a description.
    public init(name: String, created: Timestamp? = nil) {
        self.name = name
        self.created = created
    }
}

extension ContainerInfo {
    /// The description as a JSON document.
    package func encode() -> [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// The answer of `GET /v1/storages/{storage}/containers`: `{containers}`.
    package static func encode(_ containers: [ContainerInfo]) -> [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.name("containers")
            $0.array {
                for container in containers { container.write(to: &$0) }
            }
        }
        return writer.bytes
    }

    /// Reads the answer.
    package static func parse(_ bytes: [UInt8]) throws(CofferError) -> [ContainerInfo] {
        var containers: [ContainerInfo] = []
        for body in try BodyReader(parsing: bytes).objects("containers") {
            containers.append(
                ContainerInfo(name: try body.string("name"), created: try body.optionalTime("created"))
            )
        }
        return containers
    }

    private func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("name", name)
            $0.member("created", created?.description)
        }
    }
}
