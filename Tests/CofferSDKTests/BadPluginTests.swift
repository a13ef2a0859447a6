// Each way in which a file can fail to be a plugin, with the words that an operator reads.
import CofferLoader
import CofferTestSupport
import Glibc
import Testing

@Suite struct BadPluginTests {
    /// What loading the file at `path` says.
    private func refusal(_ path: String, sha256: String? = nil) -> LoadError? {
        do throws(LoadError) {
            _ = try PluginLibrary.load(path, sha256: sha256)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        (["-DNO_ENTRY"], LoadError.Reason.noEntry, "it does not export coffer_backend_entry_v1 itself"),
        (
            ["-DMAJOR_BY_NAME"], .major,
            "it speaks ABI 2.x (it exports coffer_backend_entry_v2), this host speaks 1.x"
        ),
        (["-DABI=0x20003"], .major, "it speaks ABI 2.3, this host speaks 1.0"),
        (["-DMAGIC=0x1234"], .magic, "its descriptor begins with 0x1234, not with CFFR"),
        (["-DSIZE=4"], .descriptor, "its descriptor has only 4 bytes"),
        (["-DSIZE=16"], .descriptor, "its descriptor has no operations"),
        (["-DNO_OPS"], .descriptor, "its descriptor has no operations"),
        (["-DNO_OPEN"], .descriptor, "it has no open or no close"),
        (["-DTHREADS=9"], .descriptor, "it asks for threads in an unknown way, 9"),
        (["-DID=\"Bad Name\""], .descriptor, "its id \"Bad Name\" is not [a-z][a-z0-9-]{0,31}"),
        (["-DREFUSE"], .refused, "it refuses: this kernel is too old"),
        (["-DTYPE=99"], .options, "the option number has an unknown type, 99"),
        (
            ["-DDEFAULT=\"many\""], .options,
            "the default of the option number is \"many\", which is not a whole number"
        ),
        (["-DOPTION=\"first\""], .options, "the option first is declared twice"),
        (["-DOPTION=\"First\""], .options, "an option has the name \"First\", which is not [a-z][a-z0-9_]*"),
        (["-DOPTION=\"*\""], .options, "the option * lacks the flag that opens the table"),
        (["-DSTRIDE=2"], .options, "its option table is missing, too long or has a stride of 2"),
        (
            ["-DCAPS=COFFER_CAP_WRITE"], .capabilities,
            "it declares write and lacks write_begin, write_append, write_commit and write_close"
        ),
        (["-DCAPS=COFFER_CAP_STAT"], .capabilities, "it declares stat and lacks stat"),
        (["-DCAPS=COFFER_CAP_RESUME"], .capabilities, "it declares resume and lacks the extension coffer.upload/1"),
        (["-Wl,-z,execstack"], .unsafeMemory, "it wants an executable stack"),
    ])
    func aBrokenRuleIsNamed(flags: [String], reason: LoadError.Reason, detail: String) throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/bad.so"
            try compilePlugin("bad.c", to: path, flags)
            #expect(refusal(path) == LoadError(path, reason, detail))
            #expect(refusal(path) == LoadError(path, reason, detail), "it says the same again")
        }
    }

    @Test func whatIsNotThereIsMissing() {
        #expect(refusal("/nowhere/x.so") == LoadError("/nowhere/x.so", .missing, "there is no such file"))
    }

    @Test func anUndefinedSymbolIsNamedBeforeItIsCalled() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/bad.so"
            try compilePlugin("bad.c", to: path, ["-DUNDEFINED"])
            #expect(
                refusal(path) == LoadError(path, .unresolved, "undefined symbol: a_function_that_nobody_has")
            )
        }
    }

    @Test func theEntryOfADependencyDoesNotCount() throws {
        try withTemporaryDirectory { directory in
            try compilePlugin("bad.c", to: "\(directory)/libreal.so")
            let path = "\(directory)/bad.so"
            try compilePlugin(
                "bad.c",
                to: path,
                ["-DNO_ENTRY", "-Wl,--no-as-needed", "-L\(directory)", "-lreal", "-Wl,-rpath,\(directory)"]
            )
            #expect(refusal(path) == LoadError(path, .noEntry, "it does not export coffer_backend_entry_v1 itself"))
            #expect(try ELFProbe(path: path).neededLibraries.first == "libreal.so")
        }
    }

    @Test func aLibraryBesideThePluginIsFound() throws {
        try withTemporaryDirectory { directory in
            let source = "\(directory)/beside.c"
            try write(Array("int a_function_that_nobody_has(void) { return 1; }".utf8), to: source)
            try compilePlugin(source, to: "\(directory)/libbeside.so")
            let path = "\(directory)/bad.so"
            let flags = ["-DUNDEFINED", "-DID=\"beside\"", "-L\(directory)", "-lbeside", "-Wl,-rpath,$ORIGIN"]
            try compilePlugin("bad.c", to: path, flags)
            #expect(try PluginLibrary.load(path).description.id == "beside")
            #expect(try ELFProbe(path: path).usesOrigin)
        }
    }

    @Test func oneFileIsLoadedOnceUnderAnyName() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/bad.so"
            try compilePlugin("bad.c", to: path)
            link(path, "\(directory)/other.so")
            #expect(try PluginLibrary.load(path) === PluginLibrary.load("\(directory)/other.so"))
        }
    }

    @Test(arguments: [
        (Array("#!/bin/sh\n".utf8), LoadError.Reason.notELF, "it is not an ELF file"),
        (elf(), .notELF, "it is a damaged ELF file"),
        (elf(machine: 183), .architecture, "it is made for aarch64, this host runs on x86_64"),
        (elf(bits: 1), .architecture, "it is not made for a 64-bit little-endian machine"),
        (elf(kind: 2), .notShared, "it is not a shared object"),
        (Array(elf().prefix(40)), .notELF, "it is not an ELF file"),
        ([], .notELF, "it is not an ELF file"),
    ])
    func whatIsNoSharedObjectOfThisMachineIsSaid(bytes: [UInt8], reason: LoadError.Reason, detail: String) throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/bad.so"
            try write(bytes, to: path)
            #expect(refusal(path) == LoadError(path, reason, detail))
        }
    }

    @Test func aFileThatWasCutAnywhereIsRefusedAndNothingMore() throws {
        try withTemporaryDirectory { directory in
            let whole = "\(directory)/whole.so"
            try compilePlugin("bad.c", to: whole, ["-s"])
            let bytes = try read(whole)
            for count in stride(from: 0, to: bytes.count - 64 * 8, by: 97) {
                let path = "\(directory)/cut.so"
                try write(Array(bytes.prefix(count)), to: path)
                // Some cuts leave the headers whole; all that may happen then is an answer.
                _ = try? ELFProbe(path: path)
                unlink(path)
            }
        }
    }

    @Test func theDigestMustBeTheOneThatWasNamed() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/bad.so"
            try compilePlugin("bad.c", to: path)
            let wrong = String(repeating: "0", count: 64)
            #expect(
                refusal(path, sha256: wrong)
                    == LoadError(path, .hash, "its SHA-256 is not the one in the configuration")
            )
            #expect(refusal(path, sha256: try Manifest.inspecting(path).digest) == nil)
        }
    }

    // MARK: Trust

    @Test func whatEverybodyMayWriteIsNotTrusted() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/bad.so"
            try compilePlugin("bad.c", to: path)
            chmod(path, 0o666)
            #expect(refusal(path) == LoadError(path, .untrusted, "everybody may write to it"))
            chmod(path, 0o644)
            chmod(directory, 0o777)
            #expect(refusal(path) == LoadError(path, .untrusted, "everybody may write to the directory \(directory)"))
            chmod(directory, 0o700)
            chmod(path, 0o4755)
            #expect(refusal(path) == LoadError(path, .untrusted, "it is set-user-id or set-group-id"))
            chmod(path, 0o755)
            #expect(refusal(path) == nil)
        }
    }

    @Test func aDirectoryIsNoLibrary() throws {
        try withTemporaryDirectory { directory in
            #expect(refusal(directory) == LoadError(directory, .untrusted, "it is not a regular file"))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root may give files away"))
    func whatBelongsToSomebodyElseIsNotTrusted() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/bad.so"
            try compilePlugin("bad.c", to: path)
            chown(path, 4321, 0)
            #expect(refusal(path) == LoadError(path, .untrusted, "it belongs to user 4321, not to root or to us"))
            chown(path, 0, 4321)
            chmod(path, 0o664)
            #expect(refusal(path) == LoadError(path, .untrusted, "group 4321 may write to it"))
            // The private group of root itself.
            chown(path, 0, 0)
            #expect(refusal(path) == nil)
        }
    }

    @Test func aLinkIsJudgedByWhereItLeads() throws {
        try withTemporaryDirectory { directory in
            let open = "\(directory)/open"
            mkdir(open, 0o777)
            chmod(open, 0o777)
            try compilePlugin("bad.c", to: "\(open)/bad.so")
            let link = "\(directory)/link.so"
            symlink("\(open)/bad.so", link)
            #expect(refusal(link) == LoadError(link, .untrusted, "everybody may write to the directory \(open)"))
        }
    }
}

/// The head of an ELF file that says these things and has nothing else right.
private func elf(bits: UInt8 = 2, kind: UInt8 = 3, machine: UInt8 = 62) -> [UInt8] {
    var head = [UInt8](repeating: 0xFF, count: 64)
    head.replaceSubrange(0..<7, with: [0x7F, 0x45, 0x4C, 0x46, bits, 1, 1])
    head.replaceSubrange(16..<20, with: [kind, 0, machine, 0])
    return head
}
