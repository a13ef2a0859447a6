import CofferSystem

/// Request bodies: to a receiver, or to nowhere.
extension Worker {
    /// Hands the body to `receiver`, as far as it has come.
    func receiveBody(_ connection: Connection, _ receiver: any HTTPBodyReceiver) -> Next {
        if connection.exchange.owesContinue && input.isEmpty && !connection.exchange.body.isFinished {
            guard sendContinue(connection) else {
                receiver.abort()
                return lose(connection)
            }
        }
        connection.exchange.owesContinue = false
        while true {
            do throws(HTTPFault) {
                if let response = try feed(connection, receiver) { return send(connection, response) }
            } catch {
                receiver.abort()
                // What follows cannot be told from another request.
                connection.exchange.body = BodyDecoder(.none)
                return refuse(connection, error)
            }
            switch receive(connection) {
            case .moved(0), .failed:
                receiver.abort()
                return lose(connection)
            case .moved(let count): connection.patience.note(moved: count)
            case .wouldBlock:
                guard connection.patience.wait(connection.socket.number, .readable) else {
                    let deadline = MonotonicTime.now.advanced(milliseconds: server.configuration.bodyTimeout)
                    return park(connection, .receiving(receiver), until: deadline)
                }
            }
        }
    }

    /// Feeds what is in the input; the answer once there is one.
    private func feed(
        _ connection: Connection,
        _ receiver: any HTTPBodyReceiver
    ) throws(HTTPFault) -> HTTPResponse? {
        let bytes = input.unread
        var position = 0
        while let range = try connection.exchange.body.next(bytes, from: &position) {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[range])
            if let response = receiver.receive(piece.bytes) {
                use(connection, position)
                return response
            }
        }
        use(connection, position)
        guard connection.exchange.body.isFinished else { return nil }
        return receiver.finish(trailers: connection.exchange.body.trailers)
    }

    /// Drops bytes of a body, and the descriptor that came with them.
    ///
    /// It came with the last bytes that we have: where some are left, the head behind the body may be the one it belongs to.
    private func use(_ connection: Connection, _ count: Int) {
        input.drop(count)
        if input.isEmpty { connection.attached = nil }
    }

    private func sendContinue(_ connection: Connection) -> Bool {
        output.removeAll()
        output.append("HTTP/1.1 100 Continue\r\n\r\n")
        var sent = 0
        // A client that has no room for 25 bytes is not waiting for them.
        return write(connection, output.bytes, sent: &sent) == .done
    }

    /// The client is gone.
    func lose(_ connection: Connection) -> Next {
        endWork(connection)
        return .closed
    }

    /// Throws away what is left of a body, so that the next request can come.
    func discard(_ connection: Connection, left: Int) -> Next {
        var left = left
        while true {
            let bytes = input.unread
            var position = 0
            do throws(HTTPFault) {
                while try connection.exchange.body.next(bytes, from: &position) != nil {}
            } catch {
                return .closed
            }
            use(connection, position)
            left -= position
            if connection.exchange.body.isFinished {
                return connection.exchange.keepsAlive ? .head : part(connection, left: left)
            }
            if left <= 0 { return part(connection, left: 0) }
            switch receive(connection) {
            case .moved(0), .failed: return .closed
            case .moved(let count): connection.patience.note(moved: count)
            case .wouldBlock:
                passOn()
                guard connection.patience.wait(connection.socket.number, .readable) else {
                    return park(connection, .discarding(left: left), until: .now.advanced(milliseconds: 5000))
                }
            }
        }
    }

    /// Ends our side and reads on until the client ends its own, within limits.
    ///
    /// Closing with unread bytes would reset the connection, and the client could lose the answer.
    func part(_ connection: Connection, left: Int) -> Next {
        Socket.finishSending(connection.socket.number)
        var left = left
        while left > 0 {
            left -= input.count
            input.removeAll()
            switch receive(connection, keepsDescriptor: false) {
            case .moved(0), .failed: return .closed
            case .moved: continue
            case .wouldBlock:
                return park(connection, .parting(left: left), until: .now.advanced(milliseconds: 2000))
            }
        }
        return .closed
    }
}
