// One setting of one storage: its value, and where that came from.

/// Text that may be secret: it is shown masked, whatever prints it.
package struct SettingText: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// What stands for a secret.
    package static let mask = "********"

    /// The text itself, secret or not.
    package let unmasked: String
    package let isSecret: Bool
    /// How an operator would write it, where that differs.
    private let written: String?

    package init(_ text: String, isSecret: Bool = false) {
        unmasked = text
        self.isSecret = isSecret
        written = nil
    }

    /// The value of an option, in its normal form: bytes and milliseconds are shown with their units.
    init(_ text: String, of option: OptionSchema) {
        unmasked = text
        isSecret = option.isSecret
        written =
            switch (option.type, Int64(text)) {
            case (.size, let bytes?) where bytes > 0: ByteSize.text(bytes)
            case (.duration, let milliseconds?) where milliseconds > 0: TimeSpan.text(milliseconds)
            default: nil
            }
    }

    /// The text for people, or a mask; a password inside a URL is masked as well.
    package var description: String { isSecret ? Self.mask : written ?? Self.withoutPassword(unmasked) }
    /// The same for machines: a size in bytes, a duration in milliseconds.
    var normalForm: String { isSecret ? Self.mask : Self.withoutPassword(unmasked) }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["text": description]) }

    /// `scheme://user:password@host` with the password masked, any other text as it is.
    static func withoutPassword(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard let rest = text.afterScheme else { return text }
        let start = text.utf8.distance(from: text.startIndex, to: rest)
        // Up to the last "@" before a space, so that a password with a slash, "?" or "#" in it is hidden too.
        let end = bytes[start...].firstIndex { $0 <= 0x20 } ?? bytes.endIndex
        guard let at = bytes[start..<end].lastIndex(of: 0x40), let colon = bytes[start..<at].firstIndex(of: 0x3A) else {
            return text
        }
        return String(decoding: bytes[...colon], as: UTF8.self) + mask + String(decoding: bytes[at...], as: UTF8.self)
    }
}

/// Where a value comes from.
package struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// The layers of a configuration, from the first asked to the last.
    package enum Layer: Sendable, Hashable {
        /// `storages.NAME`.
        case storage(String)
        /// `backends.ID`.
        case backend(String)
        /// `defaults`.
        case defaults
        /// The storage's own name stands in.
        case storageName
        /// The default that the plugin declares.
        case pluginDefault
        /// The host's default.
        case hostDefault
    }

    package let layer: Layer
    /// The profile whose text sets it; nil for the base.
    package let profile: String?
    /// Where the value is written; nil for defaults.
    package let mark: SourceMark?

    package init(_ layer: Layer, profile: String? = nil, mark: SourceMark? = nil) {
        self.layer = layer
        self.profile = profile
        self.mark = mark
    }

    /// The layer in words: `profiles.production.backends.s3`, `defaults`, `default of the plugin`.
    package var layerName: String {
        let base = profile.map { "profiles.\($0)." } ?? ""
        return switch layer {
        case .storage(let name): "\(base)storages.\(name)"
        case .backend(let id): "\(base)backends.\(id)"
        case .defaults: "\(base)defaults"
        case .storageName: "name of the storage"
        case .pluginDefault: "default of the plugin"
        case .hostDefault: "default of the host"
        }
    }

    /// The place and the layer: `/etc/coffer/coffer.yaml:4:3 (defaults)`.
    package var description: String { mark.map { "\($0) (\(layerName))" } ?? layerName }
}

/// One setting of one storage, as `config show` prints it.
package struct ResolvedSetting: Sendable, Hashable {
    package let key: String
    /// The value in effect, or for an inactive one as it is written; nil if there is none.
    package let value: SettingText?
    package let origin: Origin
    /// Whether it has an effect.
    package let isActive: Bool
    /// What else one should know: why it is inactive, what was appended.
    package let note: String?

    package init(key: String, value: SettingText?, origin: Origin, isActive: Bool = true, note: String? = nil) {
        self.key = key
        self.value = value
        self.origin = origin
        self.isActive = isActive
        self.note = note
    }

    /// Whether the value is never shown.
    package var isSecret: Bool { value?.isSecret ?? false }
}

/// One option as the plugin receives it.
package struct ResolvedOption: Sendable, Hashable {
    package let name: String
    /// In the form of the ABI: bytes, milliseconds, an absolute path, JSON.
    package let value: SettingText
    /// How to read it again while the storage is open; nil unless the option is live and refers to something.
    package let live: LiveValue?

    package init(name: String, value: SettingText, live: LiveValue? = nil) {
        self.name = name
        self.value = value
        self.live = live
    }
}
