// What the backend says of itself, and the one symbol that it exports.

public import CCofferPlugin
import CofferPluginSDK

extension LocalBackend {
    static let description = PluginDescription(
        id: "local",
        version: "0.9.0",
        name: "Local files",
        licence: "Apache-2.0",
        description: "Objects as plain files below a directory of this machine.",
        capabilities: [
            .stat, .read, .readRange, .readDescriptor, .readPinned, .readCondition, .write, .writeIngest,
            .atomicReplace, .createIfAbsent, .ifMatch, .remove, .removeIfMatch, .removeBatch, .list, .listDelimiter,
            .listAfter, .listSorted, .copy, .copyCondition, .copyMetadata, .move, .contentType, .contentProperties,
            .userMetadata, .modificationTime, .checksum, .usage, .durable, .readOnly, .caseInsensitive, .directories,
        ],
        options: [
            OptionDescription("root", .path, "The directory below which objects are files.", flags: .required),
            OptionDescription("create", .boolean, "Make the root when it is missing.", default: "true"),
            OptionDescription(
                "durability",
                .choice(["full", "relaxed"]),
                "full: an answered write survives a power loss; relaxed: it survives only a crash of the host.",
                default: "full"
            ),
            OptionDescription(
                "foreign_writers",
                .choice(["stat", "hash"]),
                "How changes by other programs are noticed: stat by inode, size and time; hash by reading the content too.",
                default: "stat"
            ),
            OptionDescription(
                "sharding",
                .integer,
                """
                Over how many levels of 256 folders the files of each directory are spread. Fixed once the root holds \
                objects: a root that was filled with another value is refused; copy the objects into a new root instead.
                """,
                default: "0",
                bounds: 0...2
            ),
            OptionDescription("file_mode", .string, "The mode of new files, in octal.", default: "0600"),
            OptionDescription("directory_mode", .string, "The mode of new directories, in octal.", default: "0700"),
        ]
    )
}

extension LocalBackend {
    /// What a root that cannot be written to has none of.
    static let changes: Capabilities = [
        .write, .writeIngest, .atomicReplace, .createIfAbsent, .ifMatch, .remove, .removeIfMatch, .removeBatch, .copy,
        .copyCondition, .copyMetadata, .move, .durable,
    ]
}

/// The entry of the plugin: what every host looks for.
@c @implementation
public func coffer_backend_entry_v1(
    _ host: UnsafePointer<coffer_host>?,
    _ error: UnsafeMutablePointer<coffer_error>?
) -> UnsafePointer<coffer_plugin>? {
    exportBackend(LocalBackend.self, host, error)
}
