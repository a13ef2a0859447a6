import Glibc

/// Something that the tool will not or cannot do.
struct Refusal: Error {
    let reason: String
}

/// An option of the plugin that is wrong.
struct WrongOption: Error {
    let reason: String
}

/// One line on standard error, after the tool's name.
func complain(_ text: String) {
    let line = Array("coffer-plugin-check: \(text)\n".utf8)
    // There is nobody left to tell when standard error is gone.
    _ = write(2, line, line.count)
}
