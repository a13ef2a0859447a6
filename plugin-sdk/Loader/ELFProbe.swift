/// What a shared object says about itself, read without running any of its code.
///
/// Every offset in the file is a stranger's number: nothing is read but through ``PluginFile/bytes(at:count:)``, which
/// knows the file's end, and every table has a largest size.
public struct ELFProbe: Sendable, Hashable {
    /// The processor of the file as the GNU world names it: `x86_64`.
    public private(set) var machine = ""
    /// The major versions of the ABI whose entry symbols the file exports itself.
    public private(set) var entryMajors: [Int] = []
    /// The libraries that it depends on.
    public private(set) var neededLibraries: [String] = []
    /// Whether it wants an executable stack.
    public private(set) var hasExecutableStack = true
    /// Whether the dynamic linker would have to write to its code.
    public private(set) var hasTextRelocations = false
    /// Whether it looks for libraries beside itself.
    public private(set) var usesOrigin = false

    /// Reads the file at `path`.
    ///
    /// - Throws: ``LoadError`` if it cannot be opened, is no ELF file, or is no shared object for this machine.
    public init(path: String) throws(LoadError) { try self.init(PluginFile(path)) }

    init(_ file: PluginFile) throws(LoadError) {
        func bad(_ reason: LoadError.Reason, _ detail: String) -> LoadError { LoadError(file.path, reason, detail) }
        guard let header = file.bytes(at: 0, count: 64), header[0..<4] == [0x7F, 0x45, 0x4C, 0x46] else {
            throw bad(.notELF, "it is not an ELF file")
        }
        guard header[4] == 2, header[5] == 1 else {
            throw bad(.architecture, "it is not made for a 64-bit little-endian machine")
        }
        let number = Int(header.number(at: 18, as: UInt16.self))
        machine = ELFProbe.machines[number] ?? "machine \(number)"
        guard machine == ELFProbe.ourMachine else {
            throw bad(.architecture, "it is made for \(machine), this host runs on \(ELFProbe.ourMachine)")
        }
        guard header.number(at: 16, as: UInt16.self) == 3 else { throw bad(.notShared, "it is not a shared object") }

        let damaged = bad(.notELF, "it is a damaged ELF file")
        let segmentCount = UInt64(header.number(at: 56, as: UInt16.self))
        guard header.number(at: 54, as: UInt16.self) == 56,
            let segmentTable = file.bytes(at: header.number(at: 32, as: UInt64.self), count: segmentCount * 56)
        else { throw damaged }
        let segments = stride(from: 0, to: segmentTable.count, by: 56).map { Segment(segmentTable, $0) }
        if let stack = segments.first(where: { $0.kind == 0x6474_E551 }) { hasExecutableStack = stack.flags & 1 != 0 }

        guard let place = segments.first(where: { $0.kind == 2 }), place.size <= 1 << 20,
            let dynamic = file.bytes(at: place.offset, count: place.size)
        else { throw bad(.notShared, "it is not a shared object") }
        var tags = DynamicTags(dynamic)
        hasTextRelocations = tags.hasTextRelocations
        tags.locate(in: segments)
        guard let textOffset = tags.textOffset, tags.textSize <= 64 << 20,
            let texts = file.bytes(at: textOffset, count: tags.textSize)
        else { throw damaged }
        neededLibraries = tags.needed.compactMap { texts.text(at: $0) }
        usesOrigin = tags.searchPaths.contains { (texts.text(at: $0) ?? "").contains("ORIGIN") }

        guard let symbolOffset = tags.symbolOffset else { throw damaged }
        let count = ELFProbe.symbolCount(file, header, at: symbolOffset, textOffset: textOffset)
        guard count <= 1 << 20, let symbols = file.bytes(at: symbolOffset, count: count * 24) else { throw damaged }
        entryMajors = ELFProbe.entryMajors(symbols, texts)
    }

    #if arch(x86_64)
    static let ourMachine = "x86_64"
    #elseif arch(arm64)
    static let ourMachine = "aarch64"
    #endif

    private static let machines = [3: "i386", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv64"]
    private static let entryPrefix = Array("coffer_backend_entry_v".utf8)

    /// How many dynamic symbols there are: the section says it; where sections were stripped, the names follow them.
    private static func symbolCount(
        _ file: PluginFile,
        _ header: [UInt8],
        at symbols: UInt64,
        textOffset: UInt64
    ) -> UInt64 {
        let sectionCount = UInt64(header.number(at: 60, as: UInt16.self))
        let table = file.bytes(at: header.number(at: 40, as: UInt64.self), count: sectionCount * 64) ?? []
        for start in stride(from: 0, to: table.count, by: 64) where table.number(at: start + 4, as: UInt32.self) == 11 {
            return table.number(at: start + 32, as: UInt64.self) / 24
        }
        return textOffset > symbols ? (textOffset - symbols) / 24 : 0
    }

    private static func entryMajors(_ symbols: [UInt8], _ texts: [UInt8]) -> [Int] {
        var majors: Set<Int> = []
        for start in stride(from: 0, to: symbols.count, by: 24) {
            let isDefined = symbols.number(at: start + 6, as: UInt16.self) != 0
            let binding = symbols[start + 4] >> 4
            let visibility = symbols[start + 5] & 3
            guard isDefined, binding == 1 || binding == 2, visibility == 0 || visibility == 3 else { continue }
            let name = Int(symbols.number(at: start, as: UInt32.self))
            guard name < texts.count, texts[name...].starts(with: entryPrefix) else { continue }
            let digits = texts[(name + entryPrefix.count)...].prefix { $0 != 0 }
            if let major = Int(String(decoding: digits.prefix(8), as: UTF8.self)), major >= 0 { majors.insert(major) }
        }
        return majors.sorted()
    }
}

/// One program header.
private struct Segment {
    let kind: UInt32
    let flags: UInt32
    let offset: UInt64
    let address: UInt64
    let size: UInt64

    init(_ table: [UInt8], _ start: Int) {
        kind = table.number(at: start, as: UInt32.self)
        flags = table.number(at: start + 4, as: UInt32.self)
        offset = table.number(at: start + 8, as: UInt64.self)
        address = table.number(at: start + 16, as: UInt64.self)
        size = table.number(at: start + 32, as: UInt64.self)
    }
}

/// The entries of the dynamic section that matter here.
private struct DynamicTags {
    var needed: [UInt64] = []
    var searchPaths: [UInt64] = []
    var hasTextRelocations = false
    var textSize: UInt64 = 0
    var textOffset: UInt64?
    var symbolOffset: UInt64?
    private var textAddress: UInt64 = 0
    private var symbolAddress: UInt64 = 0

    init(_ section: [UInt8]) {
        for start in stride(from: 0, to: section.count - 15, by: 16) {
            let value = section.number(at: start + 8, as: UInt64.self)
            switch section.number(at: start, as: UInt64.self) {
            case 0: return
            case 1: needed.append(value)
            case 5: textAddress = value
            case 6: symbolAddress = value
            case 10: textSize = value
            case 15, 29: searchPaths.append(value)
            case 22: hasTextRelocations = true
            case 30: hasTextRelocations = hasTextRelocations || value & 4 != 0
            default: break
            }
        }
    }

    /// Turns addresses into places in the file.
    mutating func locate(in segments: [Segment]) {
        func offset(of address: UInt64) -> UInt64? {
            for segment in segments where segment.kind == 1 && address >= segment.address {
                let distance = address - segment.address
                if distance < segment.size { return segment.offset.addingReportingOverflow(distance).partialValue }
            }
            return nil
        }
        textOffset = offset(of: textAddress)
        symbolOffset = offset(of: symbolAddress)
    }
}

extension [UInt8] {
    /// The little-endian number at `start`, which is inside.
    fileprivate func number<T: FixedWidthInteger>(at start: Int, as type: T.Type) -> T {
        var value: T = 0
        for index in 0..<MemoryLayout<T>.size { value |= T(truncatingIfNeeded: self[start + index]) << T(8 * index) }
        return value
    }

    /// The text up to the next NUL; nil if it starts outside.
    fileprivate func text(at start: UInt64) -> String? {
        guard start < UInt64(count) else { return nil }
        return String(decoding: self[Int(start)...].prefix { $0 != 0 }, as: UTF8.self)
    }
}
