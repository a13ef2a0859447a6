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

/// What a listing tells of an object beside its key; it lies where the order is, so that a listing fetches no object.
struct ListedFacts {
    let size: UInt64
    let modified: Int64
    let created: Int64
    let generation: UInt64

    init(_ object: StoredObject) {
        size = object.size
        modified = object.modified
        created = object.created
        generation = object.generation
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
        var text = start
        end(&text, generation: object.generation)
        return ByteString(text)
    }

    /// What all tags begin with, with room for the rest.
    var start: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(nonce.count + 16)
        text += nonce
        return text
    }

    /// Gives a text that begins so, whatever followed, the end of a generation's tag.
    func end(_ text: inout [UInt8], generation: UInt64) {
        text.removeLast(text.count - nonce.count)
        var shift = max(0, 63 - generation.leadingZeroBitCount) & ~3
        while shift >= 0 {
            text.append(Self.digit(UInt8(truncatingIfNeeded: generation >> UInt64(shift)) & 15))
            shift -= 4
        }
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
