import CCofferPlugin
import CofferBackend
import CofferLoader
import CofferModel

extension PluginBackend {
    func presign(_ request: PresignRequest, _ call: Call) throws(CofferError) -> PresignedURL {
        try require(COFFER_CAP_PRESIGN, key: request.key)
        guard request.lifetime > 0, request.size.map({ $0 >= 0 }) ?? true else {
            throw CofferError(.invalidArgument, "a link lives for a while and has no negative size", key: request.key)
        }
        var sink = LinkSink()
        return try telling(request.key) { () throws(PluginError) in
            try call.withABI { (call) throws(PluginError) in
                let capacity =
                    room(request.method.rawValue) + room(request.key.text) + 2 * room(request.contentType)
                    + room(request.filename)
                try withTexts(capacity: capacity) { (texts) throws(PluginError) in
                    var arguments = coffer_presign_args()
                    arguments.struct_size = UInt32(MemoryLayout<coffer_presign_args>.size)
                    arguments.method = texts.keep(request.method.rawValue)
                    arguments.key = texts.keep(request.key.text)
                    arguments.expires_s = UInt64(request.lifetime)
                    arguments.content_type = texts.keep(request.contentType)
                    arguments.filename = texts.keep(request.filename)
                    if request.method == .get { arguments.response_type = texts.keep(request.contentType) }
                    arguments.size_exact = request.size ?? -1
                    try withSink(&sink) { (to) throws(PluginError) in try instance.presign(call, &arguments, to) }
                }
            }
            return try sink.link()
        }
    }
}

/// Takes a URL, its expiry and the headers that it wants; none of them is ever part of a message.
struct LinkSink: Sink {
    private var url: String?
    private var expires: Int64?
    private var headers: [(name: String, value: String)] = []
    var broken: String?

    static var table: coffer_sink {
        var table = coffer_sink()
        table.on_value = { context, kind, name, value in
            guard let sink = context?.assumingMemoryBound(to: LinkSink.self) else { return 1 }
            return sink.pointee.take(kind, name, value)
        }
        return table
    }

    private mutating func take(_ kind: UInt32, _ name: coffer_str, _ value: coffer_str) -> Int32 {
        guard kind == COFFER_VAL_URL || kind == COFFER_VAL_EXPIRES || kind == COFFER_VAL_HEADER else { return 0 }
        guard let name = name.copied, let value = value.copied else { return refuse("a text that is not UTF-8") }
        switch kind {
        case COFFER_VAL_URL:
            guard url == nil, Self.isURL(value) else { return refuse("two URLs, or one that is none") }
            url = value
        case COFFER_VAL_EXPIRES:
            guard let seconds = Int64(value), (0...Self.lastSecond).contains(seconds) else {
                return refuse("an expiry that is no time")
            }
            expires = seconds
        default:
            guard headers.count < 64, Self.isHeader(name, value) else { return refuse("a header that is none") }
            headers.append((name, value))
        }
        return 0
    }

    private mutating func refuse(_ what: String) -> Int32 {
        broken = "the plugin gave a link with \(what)"
        return 1
    }

    /// Gives the link away; a rule is broken if a part of it is missing.
    func link() throws(PluginError) -> PresignedURL {
        guard let url else { throw .broken("the plugin gave a link without a URL") }
        guard let expires else { throw .broken("the plugin gave a link without its expiry") }
        return PresignedURL(
            url: url,
            requiredHeaders: headers,
            expiresAt: Timestamp(nanoseconds: expires * 1_000_000_000)
        )
    }

    /// The last second that nanoseconds can count to.
    private static let lastSecond = Int64.max / 1_000_000_000

    /// Whether `text` may stand in a request as it is: absolute, visible ASCII.
    private static func isURL(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon > text.utf8.startIndex else {
            return false
        }
        return text.utf8[colon...].starts(with: "://".utf8) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private static func isHeader(_ name: String, _ value: String) -> Bool {
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
        return !name.isEmpty && isName && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
