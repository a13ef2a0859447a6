/// How a download presents itself (RFC 6266).
public enum ContentDisposition {
    /// A field's value that offers `filename` for saving, or only names it where `isInline`.
    ///
    /// A name outside ASCII is given twice: as `filename*` (RFC 8187), and with `_` for what old programs cannot read.
    public static func make(filename: String, isInline: Bool = false) -> String {
        var fallback = ""
        var isPlain = true
        for scalar in filename.unicodeScalars {
            switch scalar.value {
            case 0x20...0x7E where scalar != "\"" && scalar != "\\" && scalar != "%" && scalar != "/":
                fallback.unicodeScalars.append(scalar)
            default:
                fallback += "_"
                isPlain = false
            }
        }
        let value = "\(isInline ? "inline" : "attachment"); filename=\"\(fallback)\""
        return isPlain ? value : "\(value); filename*=UTF-8''\(PercentCoding.encode(filename, keeping: .attribute))"
    }
}
