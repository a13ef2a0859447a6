// One version of one object, which never changes.

import CofferPluginSDK
import Synchronization

/// One version of one object: it never changes, and lives as long as the store or a reader holds it.
final class StoredObject: Sendable {
    let key: ByteString
    let generation: UInt64
    let modified: Int64
    let created: Int64
    let properties: Properties
    let metadata: Properties
    let checksums: Checksums
    let body: Blocks
    /// Beside the body, so that a listing does not have to fetch that too.
    let size: UInt64

    init(
        key: ByteString,
        modified: Int64,
        created: Int64,
        properties: Properties,
        metadata: Properties,
        checksums: Checksums,
        body: Blocks
    ) {
        self.key = key
        self.generation = Self.nextGeneration()
        self.modified = modified
        self.created = created
        self.properties = properties
        self.metadata = metadata
        self.checksums = checksums
        self.body = body
        size = UInt64(body.count)
    }

    /// A new version, as a write asks for it.
    convenience init(_ request: WriteRequest, _ body: Blocks, checksums: Checksums) {
        let now = wallClock()
        self.init(
            key: request.key,
            modified: request.modified ?? now,
            created: now,
            properties: request.properties,
            metadata: request.metadata,
            checksums: checksums,
            body: body
        )
    }

    /// One counter for the whole process: no two versions ever share a token.
    private static let generations = Atomic<UInt64>(0)

    private static func nextGeneration() -> UInt64 {
        generations.wrappingAdd(1, ordering: .relaxed).newValue
    }
}

/// Makes entity tags: the store's nonce and the version's generation, in hexadecimal.
struct TagMaker: Sendable {
    private let nonce: [UInt8]

    /// What all of them begin with.
    var prefix: ByteString { ByteString(nonce) }

    init() {
        let random = UInt64.random(in: .min ... .max)
        nonce = (0..<16).map { Self.digit(UInt8(truncatingIfNeeded: random >> (60 - 4 * $0)) & 15) } + [0x2D]
    }

    func tag(of object: StoredObject) -> ByteString {
        let generation = object.generation
        let digits = max(1, (67 - generation.leadingZeroBitCount) / 4)
        return ByteString(
            [UInt8](unsafeUninitializedCapacity: nonce.count + digits) { buffer, count in
                for (index, byte) in nonce.enumerated() { buffer[index] = byte }
                for index in 0..<digits {
                    let shift = 4 * (digits - 1 - index)
                    buffer[nonce.count + index] = Self.digit(UInt8(truncatingIfNeeded: generation >> shift) & 15)
                }
                count = nonce.count + digits
            }
        )
    }

    func entry(of object: StoredObject) -> Entry {
        Entry(
            object.key,
            size: Int64(object.size),
            modified: object.modified,
            created: object.created,
            etag: tag(of: object),
            properties: object.properties,
            metadata: object.metadata,
            checksums: object.checksums
        )
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
