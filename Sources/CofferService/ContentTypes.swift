// Media types by extension: what an object is called whose writer did not say.
import CofferModel

/// The table of media types.
enum ContentTypes {
    /// The type of what nothing is known of.
    static let unknown = "application/octet-stream"

    /// The type of files that end in `.suffix`, which is lower-case.
    static func type(ofSuffix suffix: String) -> String? { bySuffix[suffix] }

    /// The type of an object of which only the key is known.
    static func type(of key: Key) -> String { key.suffix.flatMap(type(ofSuffix:)) ?? unknown }

    /// Whether some extension has this type.
    static func isKnown(_ type: String) -> Bool { types.contains(type) }

    /// A media type in lower case, without its parameters.
    static func essence(of declared: String) -> String {
        let end = declared.firstIndex(of: ";") ?? declared.endIndex
        var bare = declared[..<end]
        while bare.last == " " || bare.last == "\t" { bare.removeLast() }
        while bare.first == " " || bare.first == "\t" { bare.removeFirst() }
        return bare.lowercased()
    }

    private static let types = Set(bySuffix.values)

    private static let bySuffix: [String: String] = [
        "7z": "application/x-7z-compressed",
        "aac": "audio/aac",
        "abw": "application/x-abiword",
        "ai": "application/postscript",
        "apk": "application/vnd.android.package-archive",
        "atom": "application/atom+xml",
        "avi": "video/x-msvideo",
        "avif": "image/avif",
        "azw": "application/vnd.amazon.ebook",
        "bat": "application/x-msdos-batch",
        "bin": "application/octet-stream",
        "bmp": "image/bmp",
        "br": "application/x-brotli",
        "bz2": "application/x-bzip2",
        "c": "text/x-c",
        "cpp": "text/x-c++",
        "css": "text/css",
        "csv": "text/csv",
        "deb": "application/vnd.debian.binary-package",
        "dll": "application/x-msdownload",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "eml": "message/rfc822",
        "eot": "application/vnd.ms-fontobject",
        "eps": "application/postscript",
        "epub": "application/epub+zip",
        "exe": "application/x-msdownload",
        "flac": "audio/flac",
        "geojson": "application/geo+json",
        "gif": "image/gif",
        "gnumeric": "application/x-gnumeric",
        "go": "text/x-go",
        "gz": "application/gzip",
        "h": "text/x-c",
        "heic": "image/heic",
        "heif": "image/heif",
        "htm": "text/html",
        "html": "text/html",
        "ico": "image/vnd.microsoft.icon",
        "ics": "text/calendar",
        "ini": "text/x-ini",
        "iso": "application/x-iso9660-image",
        "jar": "application/java-archive",
        "java": "text/x-java",
        "jpe": "image/jpeg",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "js": "text/javascript",
        "json": "application/json",
        "jsonld": "application/ld+json",
        "jxl": "image/jxl",
        "kml": "application/vnd.google-earth.kml+xml",
        "log": "text/plain",
        "m3u8": "application/vnd.apple.mpegurl",
        "m4a": "audio/mp4",
        "m4v": "video/x-m4v",
        "md": "text/markdown",
        "mid": "audio/midi",
        "midi": "audio/midi",
        "mjs": "text/javascript",
        "mkv": "video/x-matroska",
        "mov": "video/quicktime",
        "mp3": "audio/mpeg",
        "mp4": "video/mp4",
        "mpeg": "video/mpeg",
        "mpg": "video/mpeg",
        "ndjson": "application/x-ndjson",
        "odf": "application/vnd.oasis.opendocument.formula",
        "odp": "application/vnd.oasis.opendocument.presentation",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "odt": "application/vnd.oasis.opendocument.text",
        "oga": "audio/ogg",
        "ogg": "audio/ogg",
        "ogv": "video/ogg",
        "opus": "audio/opus",
        "otf": "font/otf",
        "parquet": "application/vnd.apache.parquet",
        "pdf": "application/pdf",
        "php": "application/x-httpd-php",
        "pl": "text/x-perl",
        "plist": "application/x-plist",
        "png": "image/png",
        "ppt": "application/vnd.ms-powerpoint",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "ps": "application/postscript",
        "psd": "image/vnd.adobe.photoshop",
        "py": "text/x-python",
        "rar": "application/vnd.rar",
        "rb": "text/x-ruby",
        "rpm": "application/x-rpm",
        "rs": "text/x-rust",
        "rss": "application/rss+xml",
        "rtf": "application/rtf",
        "sh": "application/x-sh",
        "so": "application/x-sharedlib",
        "sql": "application/sql",
        "sqlite": "application/vnd.sqlite3",
        "svg": "image/svg+xml",
        "swift": "text/x-swift",
        "tar": "application/x-tar",
        "tgz": "application/gzip",
        "tif": "image/tiff",
        "tiff": "image/tiff",
        "toml": "application/toml",
        "ts": "video/mp2t",
        "tsv": "text/tab-separated-values",
        "ttf": "font/ttf",
        "txt": "text/plain",
        "txz": "application/x-xz",
        "vcf": "text/vcard",
        "wasm": "application/wasm",
        "wav": "audio/wav",
        "weba": "audio/webm",
        "webm": "video/webm",
        "webmanifest": "application/manifest+json",
        "webp": "image/webp",
        "woff": "font/woff",
        "woff2": "font/woff2",
        "xhtml": "application/xhtml+xml",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xml": "application/xml",
        "xz": "application/x-xz",
        "yaml": "application/yaml",
        "yml": "application/yaml",
        "zip": "application/zip",
        "zst": "application/zstd",
    ]
}
