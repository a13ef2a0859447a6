// Small GETs through the transport: `transport-bench URL CONNECTIONS MILLISECONDS [batch]` prints how many a second: a
// thread for each connection or, with `batch`, all from one.

import CofferPluginSDK
import CofferTransport
import Glibc
import Synchronization

struct Usage: Error {}

func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// What every thread of the measurement shares.
final class Measurement: Sendable {
    let endpoint: HTTPEndpoint
    let target: String
    let end: UInt64
    let done = Atomic<Int>(0)
    let failed = Atomic<Int>(0)

    init(_ location: HTTPLocation, milliseconds: UInt64) {
        endpoint = HTTPEndpoint(location.origin)
        target = location.target
        end = now() + milliseconds * 1_000_000
    }

    /// All from this thread.
    func runBatches(width: Int) {
        let requests = [HTTPRequest](repeating: HTTPRequest("GET", target), count: 500)
        var count = 0
        while now() < end {
            try? endpoint.sendAll(requests, width: width, call: Call(deadline: now() + 5_000_000_000)) { _, result in
                if case .success(let answer) = result, answer.status == 200, now() < end {
                    count += 1
                } else if now() < end {
                    failed.add(1, ordering: .relaxed)
                }
            }
        }
        done.add(count, ordering: .relaxed)
    }

    func run() {
        var count = 0
        while now() < end {
            let call = Call(deadline: now() + 5_000_000_000)
            guard let answer = try? endpoint.send(HTTPRequest("GET", target), call: call), answer.status == 200 else {
                failed.add(1, ordering: .relaxed)
                continue
            }
            count += 1
        }
        done.add(count, ordering: .relaxed)
    }
}

func measure(_ arguments: [String]) throws {
    guard arguments.count == 4 || arguments.count == 5, let threads = Int(arguments[2]),
        let milliseconds = UInt64(arguments[3])
    else {
        throw Usage()
    }
    let measurement = Measurement(try HTTPLocation(parsing: arguments[1]), milliseconds: milliseconds)
    var handles: [pthread_t] = []
    if arguments.count == 5 { measurement.runBatches(width: threads) }
    for _ in 0..<(arguments.count == 5 ? 0 : threads) {
        var handle = pthread_t()
        let context = Unmanaged.passRetained(measurement).toOpaque()
        pthread_create(
            &handle,
            nil,
            { context in
                if let context { Unmanaged<Measurement>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            context
        )
        handles.append(handle)
    }
    for handle in handles { pthread_join(handle, nil) }
    let failed = measurement.failed.load(ordering: .relaxed)
    guard failed == 0 else {
        print("\(failed) requests failed")
        exit(1)
    }
    print(UInt64(measurement.done.load(ordering: .relaxed)) * 1000 / milliseconds)
}

do {
    try measure(CommandLine.arguments)
} catch {
    print("usage: transport-bench URL CONNECTIONS MILLISECONDS (\(error))")
    exit(2)
}
