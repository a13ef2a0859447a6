import CofferSystem
import CofferTestSupport
import Glibc
import Testing

@Suite struct UnixListenerTests {
    @Test func aLivePathIsNeverStolen() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/s"
            let first = try UnixListener.listen(path: path)
            #expect(throws: SystemError("listen on \(path)", number: EADDRINUSE)) {
                _ = try UnixListener.listen(path: path)
            }
            _ = try Socket.connect(path: path)
            first.close()
        }
    }

    @Test func aLiveSocketOfAStrangerIsNeverStolen() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/s"
            let ours = try UnixListener.listen(path: path)
            // Somebody who knows no lock file: the socket alone must be enough.
            unlink(path + ".lock")
            #expect(throws: SystemError("listen on \(path)", number: EADDRINUSE)) {
                _ = try UnixListener.listen(path: path)
            }
            #expect(access(path + ".lock", F_OK) != 0)
            ours.close()
        }
    }

    @Test func aStalePathIsTakenOver() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/s"
            do {
                let dead = try UnixListener.listen(path: path)
                // As after a crash: nothing is closed in order, the files stay.
                withExtendedLifetime(dead) {}
            }
            #expect(access(path, F_OK) == 0)
            let listener = try UnixListener.listen(path: path)
            _ = try Socket.connect(path: path)
            #expect(try Socket.accept(listener.descriptor.number) != nil)
            listener.close()
            #expect(access(path, F_OK) != 0 && access(path + ".lock", F_OK) != 0)
        }
    }

    @Test func aPathMayBeLongerThanAnAddress() throws {
        try withTemporaryDirectory { directory in
            let folder = "\(directory)/\(String(repeating: "long", count: 40))"
            #expect(mkdir(folder, 0o700) == 0)
            let path = "\(folder)/s"
            let listener = try UnixListener.listen(path: path)
            #expect(throws: SystemError("listen on \(path)", number: EADDRINUSE)) {
                _ = try UnixListener.listen(path: path)
            }
            _ = try Socket.connect(path: path)
            #expect(try Socket.accept(listener.descriptor.number) != nil)
            listener.close()
            #expect(access(path, F_OK) != 0)
            let name = "\(folder)/\(String(repeating: "n", count: 65))"
            #expect(throws: SystemError("listen on \(name)", number: ENAMETOOLONG)) {
                _ = try UnixListener.listen(path: name)
            }
        }
    }

    @Test func whatIsNoSocketStays() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/s"
            let number = open(path, O_CREAT | O_RDWR, 0o600)
            close(number)
            #expect(throws: SystemError("listen on \(path)", number: ENOTSOCK)) {
                _ = try UnixListener.listen(path: path)
            }
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test func closingRemovesOnlyItsOwnSocket() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/s"
            let listener = try UnixListener.listen(path: path)
            unlink(path)
            let number = open(path, O_CREAT | O_RDWR, 0o600)
            close(number)
            listener.close()
            #expect(access(path, F_OK) == 0)
        }
    }

    @Test func theModeIsSet() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/s"
            let listener = try UnixListener.listen(path: path, mode: 0o666, group: getgid())
            var status = stat()
            #expect(lstat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o666)
            listener.close()
        }
    }

    @Test func aPathTooLongIsRefused() {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        #expect(throws: SystemError("listen on \(path)", number: ENAMETOOLONG)) {
            _ = try UnixListener.listen(path: path)
        }
        #expect(access(path + ".lock", F_OK) != 0)
    }

    @Test func thePeerIsKnown() throws {
        try withTemporaryDirectory { directory in
            let listener = try UnixListener.listen(path: "\(directory)/s")
            let client = try Socket.connect(path: listener.path)
            let server = try #require(try Socket.accept(listener.descriptor.number))
            let peer = try #require(PeerCredentials(of: server.number))
            #expect(peer.user == geteuid() && peer.group == getegid() && peer.process == getpid())
            var groups = [gid_t](repeating: 0, count: 65_536)
            let count = Int(getgroups(Int32(groups.count), &groups))
            #expect(peer.groups == Array(groups[..<count]))
            withExtendedLifetime(client) {}
            listener.close()
        }
    }

    @Test func aTCPSocketHasAPortAndNoPeer() throws {
        let listener = try Socket.listen(address: "127.0.0.1", port: 0)
        let port = try #require(Socket.localPort(listener.number))
        let client = try Socket.connect(address: "127.0.0.1", port: port)
        #expect(PeerCredentials(of: client.number) == nil)
    }
}

@Suite struct SocketTests {
    private func receive(_ socket: Descriptor, _ count: Int = 16) -> (Transfer, Descriptor?, Bool) {
        var bytes = [UInt8](repeating: 0, count: count)
        var attached: Descriptor?
        var isTruncated = false
        let transfer = bytes.withUnsafeMutableBytes {
            Socket.receive(socket.number, into: $0, attached: &attached, isTruncated: &isTruncated)
        }
        return (transfer, attached, isTruncated)
    }

    private func send(_ socket: Descriptor, _ bytes: [UInt8], _ attached: Descriptor? = nil) -> Transfer {
        bytes.withUnsafeBytes { Socket.send(socket.number, $0, attaching: attached) }
    }

    @Test func aDescriptorTravelsAndIsClosedOnExec() throws {
        let (left, right) = try Socket.pair()
        let passed = try Descriptor.placeholder()
        #expect(send(left, [1, 2], passed) == .moved(2))
        let (transfer, attached, isTruncated) = receive(right)
        #expect(transfer == .moved(2) && !isTruncated)
        let number = try #require(attached).number
        #expect(number != passed.number && fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func twoPiecesGoInOrder() throws {
        let (left, right) = try Socket.pair()
        let sent = [UInt8]([1, 2]).withUnsafeBytes { first in
            [UInt8]([3]).withUnsafeBytes { Socket.send(left.number, first, $0) }
        }
        #expect(sent == .moved(3))
        #expect(receive(right).0 == .moved(3))
    }

    @Test func nothingToReceiveIsNotTheEnd() throws {
        let (left, right) = try Socket.pair()
        #expect(receive(right).0 == .wouldBlock)
        Socket.finishSending(left.number)
        #expect(receive(right).0 == .moved(0))
        #expect(send(right, [1]) == .moved(1))
        Socket.shutDown(left.number)
        #expect(send(right, [1]) == .failed(EPIPE))
    }

    @Test func surplusDescriptorsAreClosedAndTold() throws {
        let (left, right) = try Socket.pair()
        let (readEnd, writeEnd) = try makePipe()
        // Three copies of the pipe's writing end go out; when all are closed, its reading end says so.
        try sendCopies(of: writeEnd.number, 3, over: left.number)
        let (transfer, attached, isTruncated) = receive(right)
        #expect(transfer == .moved(1) && isTruncated)
        #expect(attached != nil)
        #expect(hungUpOnceClosed(readEnd, writeEnd, attached))
    }

    private func makePipe() throws -> (Descriptor, Descriptor) {
        var numbers: [Int32] = [-1, -1]
        guard pipe(&numbers) == 0 else { throw SystemError("pipe", number: errno) }
        return (Descriptor(owning: numbers[0]), Descriptor(owning: numbers[1]))
    }

    private func hungUpOnceClosed(
        _ reading: Descriptor,
        _ writing: consuming Descriptor,
        _ attached: consuming Descriptor?
    ) -> Bool {
        // The two that are left are shut by number; what else is open would keep the pipe alive.
        dup2(reading.number, writing.number)
        if let attached { dup2(reading.number, attached.number) }
        return Socket.poll(reading.number, .readable, milliseconds: 1000).contains(.hungUp)
    }
}

/// Sends one byte with `count` copies of a descriptor, which our own code never does.
private func sendCopies(of number: Int32, _ count: Int, over socket: Int32) throws {
    var byte: UInt8 = 7
    let control = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
    defer { control.deallocate() }
    let length = MemoryLayout<cmsghdr>.size + 4 * count
    control.storeBytes(of: length, as: Int.self)
    control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
    control.storeBytes(of: 1, toByteOffset: 12, as: Int32.self)
    for index in 0..<count { control.storeBytes(of: number, toByteOffset: 16 + 4 * index, as: Int32.self) }
    let sent = withUnsafeMutablePointer(to: &byte) { base in
        var part = iovec(iov_base: base, iov_len: 1)
        return withUnsafeMutablePointer(to: &part) { part in
            var message = msghdr()
            message.msg_iov = part
            message.msg_iovlen = 1
            message.msg_control = control
            message.msg_controllen = length
            return sendmsg(socket, &message, 0)
        }
    }
    guard sent == 1 else { throw SystemError("send", number: errno) }
}

@Suite struct WaitingTests {
    @Test func epollTellsWhichDescriptorAndOnlyOnceIfAsked() throws {
        let epoll = try Epoll()
        let wakeUp = try WakeUp()
        try epoll.add(wakeUp.number, token: 77, [.readable, .once])
        #expect(epoll.waitForOne(milliseconds: 0) == nil)
        wakeUp.signal()
        #expect(epoll.waitForOne(milliseconds: 1000)?.token == 77)
        #expect(epoll.waitForOne(milliseconds: 0) == nil)
        try epoll.modify(wakeUp.number, token: 78, .readable)
        var token: UInt64 = 0
        #expect(epoll.wait(milliseconds: 1000) { token = $0.token } == 1)
        #expect(token == 78)
        wakeUp.clear()
        #expect(epoll.waitForOne(milliseconds: 0) == nil)
        try epoll.remove(wakeUp.number)
        #expect(throws: SystemError.self) { try epoll.remove(wakeUp.number) }
    }

    @Test func aMonitorWakesWhoeverWaits() throws {
        let monitor = Monitor(0)
        let threads = try (0..<4).map { _ in
            try Thread.start(named: "test") {
                monitor.withLock { $0 += 1 }
                monitor.broadcast()
                _ = monitor.wait { $0 >= 5 ? true : nil }
            }
        }
        #expect(monitor.wait { $0 == 4 ? $0 : nil } == 4)
        monitor.withLock { $0 += 1 }
        monitor.broadcast()
        for thread in threads { thread.join() }
    }

    @Test func waitingEndsAtItsDeadline() {
        let monitor = Monitor(0)
        let start = MonotonicTime.now
        #expect(monitor.wait(until: start.advanced(milliseconds: 5)) { _ -> Int? in nil } == nil)
        #expect(start.advanced(milliseconds: 5) <= .now)
        #expect(start.millisecondsLeft == 0)
    }

    @Test func errorsSpeak() {
        #expect(SystemError("open /x", number: ENOENT).description == "open /x: no such file or directory")
        #expect(errorText(EIO) == "input/output error")
    }

    @Test func cancellationWakesAPoll() throws {
        let cancellation = Cancellation()
        let thread = try Thread.start(named: "test") { cancellation.cancel() }
        #expect(!Socket.poll(cancellation.descriptor, .readable, milliseconds: 10_000).isEmpty)
        thread.join()
        #expect(cancellation.isCancelled)
    }
}
