// How transfers end that nobody wants to the end.

/// Ends a transfer before its end, so that the control connection can be used again.
struct Ending {
    private static let milliseconds: UInt64 = 300

    let control: Control

    /// Ends transfers of a control connection.
    init(_ control: Control) { self.control = control }

    /// Closes the data connection and takes in what the server says to that; a connection on which it says nothing in time
    /// is given up.
    func abandon(_ channel: Channel) {
        control.end(channel)
        guard !control.isBroken else { return }
        do throws(Fault) {
            _ = try control.finalAnswer(Patience(milliseconds: Self.milliseconds))
        } catch {
            control.spoil()
        }
    }
}
