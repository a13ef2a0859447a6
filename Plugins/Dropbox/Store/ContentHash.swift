// Dropbox's digest of a file's bytes.

import CofferCrypto

/// The content hash of Dropbox, computed while bytes stream by: the SHA-256 of the SHA-256 of each block of 4 MiB.
package struct ContentHash {
    /// Bytes of a block.
    package static let block = 4 << 20

    private var digests: [UInt8] = []
    private var current: Digest?
    private var filled = 0

    /// The hash of no bytes.
    package init() {}

    /// Takes in the next bytes.
    package mutating func update(_ bytes: RawSpan) {
        var rest = bytes
        while !rest.isEmpty {
            let digest = current ?? Digest(.sha256)
            current = digest
            let count = min(Self.block - filled, rest.byteCount)
            digest.update(rest.extracting(first: count))
            rest = rest.extracting(droppingFirst: count)
            filled += count
            if filled == Self.block { endBlock() }
        }
    }

    private mutating func endBlock() {
        guard let current else { return }
        digests += current.finish()
        (self.current, filled) = (nil, 0)
    }

    /// The digests of the blocks; the hash of what begins at a block's end follows on.
    package mutating func blocks() -> [UInt8] {
        endBlock()
        return digests
    }

    /// The hash of everything, in lower-case hexadecimal.
    package mutating func finish() -> String { Self.hash(ofBlocks: blocks()) }

    /// The hash of bytes whose blocks have these digests.
    package static func hash(ofBlocks digests: [UInt8]) -> String { hex(Digest.of(digests)) }

    /// The digests of the blocks of `bytes`.
    package static func blocks(of bytes: [UInt8]) -> [UInt8] {
        var hash = ContentHash()
        hash.update(bytes.span.bytes)
        return hash.blocks()
    }
}
