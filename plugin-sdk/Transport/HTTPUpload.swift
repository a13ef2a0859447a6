// A request whose body the caller pushes.

public import CofferPluginSDK

/// A request whose body the caller pushes, piece by piece, as a write stream of the kit gets it.
///
/// One call at a time. ``finish(call:)`` once, or ``abort()``, which comes by itself when the last reference goes.
public final class HTTPUpload {
    /// Whether the server answered before the end of the body: what is appended now is dropped, and ``finish(call:)`` gives
    /// that answer.
    public private(set) var isAnswered = false

    init() {}

    /// Sends bytes, and returns once the transport has taken them all; a server that takes none for long is `timeout`.
    ///
    /// More than the announced length is `invalidArgument`.
    public func append(_ bytes: RawSpan, call: Call) throws(BackendError) { throw .unsupported("append") }

    /// Ends the body and takes the answer whole, whatever its status; not repeated.
    ///
    /// Fewer bytes than announced are `invalidArgument`, and the request is broken off.
    public func finish(call: Call) throws(BackendError) -> HTTPAnswer { throw .unsupported("finish") }

    /// Breaks the request off: the connection is closed, so that the server cannot take it for whole.
    public func abort() {}
}
