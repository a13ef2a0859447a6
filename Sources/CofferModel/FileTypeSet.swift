/// A named set of file types, as `accept:` and `deny:` name them; the sets are those of Flask-FS, to the letter.
public enum FileTypeSet: String, Sendable, Hashable, CaseIterable {
    case text, documents, images, audio, data, scripts, archives, executables, defaults, all, none

    /// The file name extensions in it, in lower case and without the dot; empty for `all`, which has no list.
    public var extensions: [String] {
        switch self {
        case .text: ["txt"]
        case .documents: ["rtf", "odf", "ods", "gnumeric", "abw", "doc", "docx", "xls", "xlsx"]
        case .images: ["jpg", "jpe", "jpeg", "png", "gif", "svg", "bmp"]
        case .audio: ["wav", "mp3", "aac", "ogg", "oga", "flac"]
        case .data: ["csv", "ini", "json", "plist", "xml", "yaml", "yml"]
        case .scripts: ["js", "php", "pl", "py", "rb", "sh", "bat"]
        case .archives: ["gz", "bz2", "zip", "tar", "tgz", "txz", "7z"]
        case .executables: ["so", "exe", "dll"]
        case .defaults:
            Self.text.extensions + Self.documents.extensions + Self.images.extensions + Self.data.extensions
        case .all, .none: []
        }
    }
}
