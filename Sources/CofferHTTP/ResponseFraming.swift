/// How an answer is framed, decided without any I/O.
struct ResponseFraming: Equatable {
    enum Length: Equatable {
        /// Neither length nor body: 204, 304, or the answer to HEAD where the length is unknown.
        case none
        /// `Content-Length`.
        case exactly(Int64)
        case chunked
        /// The end of the connection is the end of the body: HTTP/1.0.
        case untilClose
    }

    let length: Length
    /// Whether body bytes follow the head.
    let sendsBody: Bool
    /// Whether another request may follow on the connection.
    let keepsAlive: Bool

    /// `bodyLength` nil means that nobody knows.
    init(status: Int, bodyLength: Int64?, isHead: Bool, isOld: Bool, keepsAlive: Bool, isOmitted: Bool) {
        if status == 204 || status == 304 || status < 200 {
            length = .none
            sendsBody = false
            self.keepsAlive = keepsAlive
            return
        }
        sendsBody = !isHead && !isOmitted
        guard let bodyLength else {
            length = isOld ? (isHead ? .none : .untilClose) : .chunked
            self.keepsAlive = keepsAlive && (!isOld || isHead)
            return
        }
        length = .exactly(bodyLength)
        // Bytes were promised to a client that will wait for them and that will not come.
        self.keepsAlive = keepsAlive && !(isOmitted && !isHead && bodyLength > 0)
    }
}
