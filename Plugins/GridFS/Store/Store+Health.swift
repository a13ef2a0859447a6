// Is the server there, and does it let us in?

import CofferPluginSDK
import GridFSModel

extension Store {
    /// Asks the server who it is, and whether the collections may be read.
    func health(_ call: Call) throws(BackendError) -> Properties {
        let patience = Patience(call)
        _ = try bucket.find(in: bucket.files, .empty, only: ["_id"], limit: 1, .read, patience)
        let build = try server.run(.make { $0.append("buildInfo", Int32(1)) }, .read, patience)
        var info: Properties = ["database": server.database, "files": bucket.files]
        if let version = build["version"]?.text { info["server"] = String(decoding: version, as: UTF8.self) }
        return info
    }
}
