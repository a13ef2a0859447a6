// Arguments of calls as JSON, and what stands in a header of them.

package import CofferJSON
import CofferTransport

extension JSONValue {
    /// The text in ASCII alone, as a header may hold it: what is beyond is escaped.
    package var asciiText: String {
        var text: [UInt8] = []
        for unit in String(decoding: bytes(), as: UTF8.self).utf16 {
            guard unit < 0x7F else {
                text += Array("\\u".utf8)
                for shift in [12, 8, 4, 0] {
                    let digit = UInt8(unit >> shift & 15)
                    text.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
                }
                continue
            }
            text.append(UInt8(unit))
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// How a write treats what is there already.
enum WriteMode {
    /// Whatever is there is replaced.
    case overwrite
    /// Nothing may be there.
    case add
    /// This revision must be there.
    case update(String)

    var argument: JSONValue {
        switch self {
        case .overwrite: "overwrite"
        case .add: "add"
        case .update(let revision): [".tag": "update", "update": .string(revision)]
        }
    }
}

/// Where bytes shall be published, and on what condition.
struct Commit {
    var path: String
    var mode: WriteMode
    /// The time to keep, in Unix nanoseconds.
    var modified: Int64?

    var argument: JSONObject {
        var commit = JSONObject()
        commit["path"] = .string(path)
        commit["mode"] = mode.argument
        // Without it, bytes that are there already would pass for ours.
        commit["strict_conflict"] = true
        commit["autorename"] = false
        commit["mute"] = true
        if let modified { commit["client_modified"] = .string(Moment.text(modified)) }
        return commit
    }
}

/// Times as Dropbox writes them: whole seconds in UTC.
package enum Moment {
    /// `2015-05-12T15:50:38Z`.
    package static func text(_ nanoseconds: Int64) -> String {
        var characters = Array(HTTPDate.formatBasic(nanoseconds).utf8)
        // 20150512T155038Z, with the marks between.
        for (position, mark) in [(13, ":"), (11, ":"), (6, "-"), (4, "-")] {
            characters.insert(contentsOf: Array(mark.utf8), at: position)
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
