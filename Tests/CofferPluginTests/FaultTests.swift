// What the fault backend does to the calls that its plan picks.

import CCofferPlugin
import Glibc
import Testing

@Suite("The fault backend")
struct FaultTests {
    @Test func withoutAPlanItIsAStore() throws {
        let fault = try MemoryPlugins.fault()
        _ = try fault.put("k", "bytes")
        #expect(try fault.get("k") == Array("bytes".utf8))
        // No plan has faults for uploads in parts.
        #expect(fault.native | COFFER_CAP_RESUME == (try MemoryPlugins.memory()).native)
    }

    @Test func aRulePicksEachNthCallUpToACount() throws {
        let fault = try MemoryPlugins.fault(["stat error=unavailable every=3 count=2 retryable"])
        _ = try fault.put("k", [])
        let codes = (0..<12).map { _ in code { _ = try fault.stat("k") } }
        let bad: Int32? = COFFER_E_UNAVAILABLE
        #expect(codes == [nil, nil, bad, nil, nil, bad, nil, nil, nil, nil, nil, nil])
    }

    @Test func theSameSeedFailsTheSameCalls() throws {
        func run(_ seed: String) throws -> [Int32?] {
            let fault = try MemoryPlugins.fault(["stat error=io p=0.4"], ["seed": seed])
            _ = try fault.put("k", [])
            return (0..<64).map { _ in code { _ = try fault.stat("k") } }
        }
        let first = try run("7")
        #expect(try run("7") == first)
        #expect(try run("8") != first)
        #expect((10..<45).contains(first.count { $0 != nil }))
    }

    @Test func aLostAnswerIsAnAppliedWriteThatFails() throws {
        let fault = try MemoryPlugins.fault(["write_commit lost_ack count=1"])
        #expect(code { _ = try fault.put("k", "kept") } == COFFER_E_UNAVAILABLE)
        #expect(try fault.get("k") == Array("kept".utf8))
    }

    @Test func aRequestThatComesTwiceIsAnsweredForTheSecondTime() throws {
        let fault = try MemoryPlugins.fault(["write_commit duplicate", "remove duplicate"], ["size": "10"])
        let twice = code { _ = try fault.put("k", "1234", WriteOptions(ifNoneMatch: "*")) }
        #expect(twice == COFFER_E_ALREADY_EXISTS)
        #expect(try fault.get("k") == Array("1234".utf8))
        #expect(code { try fault.remove("k", strict: true) } == COFFER_E_NOT_FOUND)
        #expect(try fault.usage()["bytes"] == "0")
        _ = try fault.put("k", "1234")
        #expect(try fault.usage()["bytes"] == "4")
    }

    @Test func readsAreShortOrEndEarly() throws {
        let fault = try MemoryPlugins.fault(["read short_read", "read early_end key=cut"])
        _ = try fault.put("k", "123456789")
        let stream = try fault.openRead("k").stream
        #expect(try fault.read(stream, upTo: 9).count == 3)
        fault.operations.read_close?(stream)
        #expect(try fault.get("k") == Array("123456789".utf8))
        let cutting = try MemoryPlugins.fault(["read early_end skip=1"])
        _ = try cutting.put("cut", "123456789")
        let cut = try cutting.openRead("cut").stream
        #expect(try cutting.read(cut, upTo: 4) == Array("1234".utf8))
        #expect(code { _ = try cutting.read(cut) } == COFFER_E_CORRUPT)
        cutting.operations.read_close?(cut)
    }

    @Test func spaceRunsOutAfterSoManyBytes() throws {
        let fault = try MemoryPlugins.fault(["write_append no_space=5"])
        _ = try fault.put("small", "12345")
        let stream = try fault.beginWrite("large")
        try fault.append(stream, Array("1234".utf8))
        #expect(code { try fault.append(stream, Array("56".utf8)) } == COFFER_E_NO_SPACE)
        fault.closeWrite(stream)
        #expect(try fault.keys() == ["small"])
        #expect(try fault.usage()["bytes"] == "5")
    }

    @Test func aStallEndsWithItsDeadline() throws {
        let fault = try MemoryPlugins.fault(["usage stall=600000"])
        var call = coffer_call()
        call.struct_size = UInt32(MemoryLayout<coffer_call>.size)
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let start = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        call.deadline_ns = start + 30_000_000
        #expect(fault.operations.usage(fault.instance, &call, nil, nil) == COFFER_E_TIMEOUT)
        clock_gettime(CLOCK_MONOTONIC, &now)
        let end = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        #expect(end >= call.deadline_ns)
        #expect(end < start + 60_000_000_000)
    }

    @Test func latencyIsTheLeastThatACallTakes() throws {
        let fault = try MemoryPlugins.fault([], ["latency": "20"])
        let clock = ContinuousClock()
        let taken = try clock.measure { _ = try fault.usage() }
        #expect(taken >= .milliseconds(20))
    }

    @Test func whatIsLeftOutIsRefused() throws {
        let fault = try MemoryPlugins.fault(
            [],
            ["grades": #"["create_if_absent","user_metadata","copy","checksum","list_sorted","read_pinned"]"#]
        )
        #expect(fault.native & COFFER_CAP_CREATE_IF_ABSENT == 0)
        #expect(code { _ = try fault.put("k", "", WriteOptions(ifNoneMatch: "*")) } == COFFER_E_UNSUPPORTED)
        #expect(code { _ = try fault.put("k", "", WriteOptions(metadata: ["a": "b"])) } == COFFER_E_UNSUPPORTED)
        let put = try fault.put("k", "12345678", WriteOptions(digests: ["md5": "00"]))
        #expect(put.checksums.isEmpty)
        #expect(code { _ = try fault.copy("k", "l") } == COFFER_E_UNSUPPORTED)
        let stream = try fault.openRead("k").stream
        #expect(try fault.read(stream, upTo: 4) == Array("1234".utf8))
        _ = try fault.put("k", "abcdefgh")
        #expect(try fault.read(stream, upTo: 4) == Array("efgh".utf8))
        fault.operations.read_close?(stream)
        for number in 0..<50 { _ = try fault.put("n\(10 + number)", "") }
        let keys = try fault.keys(prefix: "n", page: 7)
        #expect(keys.sorted() == (0..<50).map { "n\(10 + $0)" })
        #expect(keys != keys.sorted())
    }

    @Test(arguments: [
        "stat", "stats error=io", "stat error=nothing", "stat short_read", "read no_space=1", "stat error=io p=2",
        "stat error=io every=x", "stat stall=1 retryable", "stat error=io loudly",
    ])
    func aRuleThatMakesNoSenseIsNamed(_ rule: String) {
        do {
            _ = try MemoryPlugins.fault([rule])
            Issue.record("the rule was taken: \(rule)")
        } catch let failure as PluginFailure {
            #expect(failure.code == COFFER_E_CONFIG)
            #expect(failure.message.hasPrefix("option plan "))
        } catch {
            Issue.record(error)
        }
    }
}
