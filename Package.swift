// swift-tools-version: 6.2
import PackageDescription

// Layout rules: one section per room, lowest room first; a room lists only what it imports.

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
let pure = house + [.strictMemorySafety()]  // No pointers here: using one is a compile error.
let houseC: [CSetting] = [.treatAllWarnings(as: .error)]

/// A product of the plugin SDK, which is a package of its own.
func sdk(_ name: String) -> Target.Dependency { .product(name: name, package: "plugin-sdk") }

let package = Package(
    name: "coffer",
    products: [
        .executable(name: "coffer", targets: ["coffer"]),
        .executable(name: "cofferd", targets: ["cofferd"]),
        .library(name: "CofferClient", targets: ["CofferClient"]),
        .library(name: "coffer-azure", type: .dynamic, targets: ["AzureBackend"]),
        .library(name: "coffer-dropbox", type: .dynamic, targets: ["DropboxBackend"]),
        .library(name: "coffer-fault", type: .dynamic, targets: ["FaultBackend"]),
        .library(name: "coffer-ftp", type: .dynamic, targets: ["FTPPlugin"]),
        .library(name: "coffer-gcs", type: .dynamic, targets: ["GCSBackend"]),
        .library(name: "coffer-gridfs", type: .dynamic, targets: ["GridFSBackend"]),
        .library(name: "coffer-libcloud", type: .dynamic, targets: ["LibcloudBackend"]),
        .library(name: "coffer-local", type: .dynamic, targets: ["LocalBackend"]),
        .library(name: "coffer-memory", type: .dynamic, targets: ["MemoryBackend"]),
        .library(name: "coffer-s3", type: .dynamic, targets: ["S3Backend"]),
        .library(name: "coffer-sftp", type: .dynamic, targets: ["SFTPPlugin"]),
        .library(name: "coffer-swift", type: .dynamic, targets: ["OpenStackBackend"]),
        .library(name: "coffer-webdav", type: .dynamic, targets: ["WebDAVPlugin"]),
    ],
    dependencies: [.package(path: "plugin-sdk")],
    targets: [
        // The words, and the machine.
        .target(name: "CofferModel", swiftSettings: pure),
        .target(name: "CLinux", cSettings: houseC),
        .target(name: "CofferSystem", dependencies: ["CLinux"], swiftSettings: house),

        // Profiles: YAML to a validated configuration.
        .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
        .target(
            name: "CofferProfile",
            dependencies: ["CYAML", "CofferModel", sdk("CofferJSON")],
            swiftSettings: house
        ),

        // Backends: the port, and the plugins behind it.
        .target(
            name: "CofferBackend",
            dependencies: ["CofferModel", "CofferSystem", sdk("CofferCrypto")],
            swiftSettings: pure
        ),
        .target(
            name: "CofferPluginHost",
            dependencies: [
                "CofferBackend", "CofferModel", "CofferSystem",
                sdk("CCofferPlugin"), sdk("CofferJSON"), sdk("CofferLoader"),
            ],
            swiftSettings: house
        ),

        // The domain.
        .target(
            name: "CofferService",
            dependencies: ["CofferBackend", "CofferModel", "CofferSystem", sdk("CofferCrypto")],
            swiftSettings: pure
        ),

        // The wire.
        .target(name: "CofferHTTP", dependencies: ["CofferSystem"], swiftSettings: house),
        .target(name: "CofferAPI", dependencies: ["CofferModel", sdk("CofferJSON")], swiftSettings: pure),
        .target(
            name: "CofferRoutes",
            dependencies: [
                "CofferAPI", "CofferHTTP", "CofferModel", "CofferService", "CofferSystem", sdk("CofferJSON"),
            ],
            swiftSettings: pure
        ),

        // The host.
        .executableTarget(
            name: "cofferd",
            dependencies: [
                "CofferAPI", "CofferBackend", "CofferHTTP", "CofferModel", "CofferPluginHost", "CofferProfile",
                "CofferRoutes", "CofferService", "CofferSystem", sdk("CofferJSON"),
            ],
            swiftSettings: house
        ),

        // Clients.
        .target(
            name: "CofferClient",
            dependencies: ["CofferAPI", "CofferHTTP", "CofferModel", "CofferSystem", sdk("CofferJSON")],
            swiftSettings: house
        ),
        .executableTarget(
            name: "coffer",
            dependencies: ["CofferAPI", "CofferClient", "CofferModel", "CofferSystem", sdk("CofferJSON")],
            swiftSettings: house
        ),
        .executableTarget(
            name: "coffer-bench",
            dependencies: [
                "CLinux", "CofferBackend", "CofferModel", "CofferPluginHost", "CofferSystem",
            ],
            swiftSettings: house
        ),

        // The application that the README shows.
        .executableTarget(
            name: "coffer-example",
            dependencies: ["CofferClient"],
            path: "examples/swift",
            swiftSettings: house
        ),

        // Plugins: the SDK and a C library of their own, nothing else of ours.
        .target(name: "CLocal", path: "Plugins/Local/C", cSettings: houseC),
        .target(
            name: "LocalBackend",
            dependencies: ["CLocal", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/Local",
            exclude: ["C"],
            swiftSettings: house
        ),
        .target(
            name: "GCSStore",
            dependencies: [
                sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferParts"), sdk("CofferPluginSDK"),
                sdk("CofferTransport"),
            ],
            path: "Plugins/GCS/Store",
            swiftSettings: house
        ),
        .target(
            name: "GCSBackend",
            dependencies: ["GCSStore", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/GCS",
            exclude: ["Store"],
            swiftSettings: house
        ),
        .systemLibrary(
            name: "CMongo",
            path: "Plugins/GridFS/CMongo",
            pkgConfig: "libmongoc-1.0",
            providers: [.apt(["libmongoc-dev"])]
        ),
        .target(name: "CGridFS", dependencies: ["CMongo"], path: "Plugins/GridFS/C", cSettings: houseC),
        .target(name: "GridFSModel", path: "Plugins/GridFS/Model", swiftSettings: pure),
        .target(
            name: "GridFSStore",
            dependencies: ["CGridFS", "GridFSModel", sdk("CofferPluginSDK")],
            path: "Plugins/GridFS/Store",
            swiftSettings: house
        ),
        .target(
            name: "GridFSBackend",
            dependencies: ["GridFSStore", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/GridFS",
            exclude: ["C", "CMongo", "Model", "Store"],
            swiftSettings: house
        ),
        .target(
            name: "MemoryStore",
            dependencies: [sdk("CofferPluginSDK")],
            path: "Plugins/Memory/Store",
            swiftSettings: house
        ),
        .target(
            name: "MemoryBackend",
            dependencies: ["MemoryStore", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/Memory",
            exclude: ["Store"],
            swiftSettings: house
        ),
        .target(
            name: "AzureStore",
            dependencies: [
                sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferParts"), sdk("CofferPluginSDK"),
                sdk("CofferTransport"), sdk("CofferXML"),
            ],
            path: "Plugins/Azure/Store",
            swiftSettings: house
        ),
        .target(
            name: "AzureBackend",
            dependencies: ["AzureStore", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/Azure",
            exclude: ["Store"],
            swiftSettings: house
        ),
        .target(name: "CFTP", path: "Plugins/FTP/C", cSettings: houseC),
        .target(
            name: "FTPBackend",
            dependencies: [
                "CFTP",
                sdk("CCofferPlugin"), sdk("CofferListing"), sdk("CofferPluginSDK"), sdk("CofferTLS"),
            ],
            path: "Plugins/FTP",
            exclude: ["C", "Entry"],
            swiftSettings: house
        ),
        .target(
            name: "FTPPlugin",
            dependencies: ["FTPBackend", sdk("CCofferPlugin")],
            path: "Plugins/FTP/Entry",
            swiftSettings: house
        ),
        .target(
            name: "DropboxStore",
            dependencies: [
                sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferListing"), sdk("CofferParts"),
                sdk("CofferPluginSDK"), sdk("CofferTransport"),
            ],
            path: "Plugins/Dropbox/Store",
            swiftSettings: house
        ),
        .target(
            name: "DropboxBackend",
            dependencies: ["DropboxStore", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/Dropbox",
            exclude: ["Store"],
            swiftSettings: house
        ),
        .target(
            name: "FaultBackend",
            dependencies: ["MemoryStore", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/Fault",
            swiftSettings: house
        ),
        .target(
            name: "S3Store",
            dependencies: [
                sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferMetadata"), sdk("CofferParts"),
                sdk("CofferPluginSDK"), sdk("CofferTransport"), sdk("CofferXML"),
            ],
            path: "Plugins/S3/Store",
            swiftSettings: house
        ),
        .target(
            name: "S3Backend",
            dependencies: ["S3Store", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/S3",
            exclude: ["Store"],
            swiftSettings: house
        ),
        .target(
            name: "OpenStackStore",
            dependencies: [
                sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferMetadata"), sdk("CofferParts"),
                sdk("CofferPluginSDK"), sdk("CofferTransport"),
            ],
            path: "Plugins/OpenStackSwift/Store",
            swiftSettings: house
        ),
        .target(
            name: "OpenStackBackend",
            dependencies: ["OpenStackStore", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/OpenStackSwift",
            exclude: ["Store"],
            swiftSettings: house
        ),
        .target(
            name: "WebDAVBackend",
            dependencies: [
                sdk("CCofferPlugin"), sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferPluginSDK"),
                sdk("CofferTransport"), sdk("CofferXML"),
            ],
            path: "Plugins/WebDAV",
            exclude: ["Entry"],
            swiftSettings: house
        ),
        .target(
            name: "WebDAVPlugin",
            dependencies: ["WebDAVBackend", sdk("CCofferPlugin")],
            path: "Plugins/WebDAV/Entry",
            swiftSettings: house
        ),

        .systemLibrary(name: "CSSH", path: "Plugins/SFTP/CSSH", pkgConfig: "libssh", providers: [.apt(["libssh-dev"])]),
        .target(name: "CSSHSystem", path: "Plugins/SFTP/CSSHSystem", cSettings: houseC),
        .target(
            name: "SSHTransport",
            dependencies: ["CSSH", "CSSHSystem", sdk("CofferPluginSDK")],
            path: "Plugins/SFTP/Transport",
            swiftSettings: house
        ),
        .target(name: "SFTPWire", path: "Plugins/SFTP/Wire", swiftSettings: pure),
        .target(
            name: "SFTPBackend",
            dependencies: [
                "SFTPWire", "SSHTransport", sdk("CCofferPlugin"), sdk("CofferListing"), sdk("CofferPluginSDK"),
            ],
            path: "Plugins/SFTP",
            exclude: ["CSSH", "CSSHSystem", "Entry", "Transport", "Wire"],
            swiftSettings: house
        ),
        .target(
            name: "SFTPPlugin",
            dependencies: ["SFTPBackend", sdk("CCofferPlugin")],
            path: "Plugins/SFTP/Entry",
            swiftSettings: house
        ),

        .target(name: "CLibcloud", path: "Plugins/Libcloud/C", cSettings: houseC),
        .target(
            name: "LibcloudStore",
            dependencies: ["CLibcloud", sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferPluginSDK")],
            path: "Plugins/Libcloud/Store",
            // The program of its Python processes, as bytes of the library.
            resources: [
                .embedInCode("Python/coffer_child.py"), .embedInCode("Python/coffer_directory.py"),
                .embedInCode("Python/coffer_failures.py"), .embedInCode("Python/coffer_start.py"),
                .embedInCode("Python/coffer_stores.py"), .embedInCode("Python/coffer_values.py"),
                .embedInCode("Python/coffer_wire.py"),
            ],
            swiftSettings: house
        ),
        .target(
            name: "LibcloudBackend",
            dependencies: ["LibcloudStore", sdk("CCofferPlugin"), sdk("CofferPluginSDK")],
            path: "Plugins/Libcloud/Entry",
            swiftSettings: house
        ),

        // Tests, by room.
        .target(
            name: "CofferTestSupport",
            dependencies: ["CofferSystem"],
            path: "Tests/CofferTestSupport",
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferModelTests",
            dependencies: ["CofferModel", "CofferTestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferSystemTests",
            dependencies: [
                "CofferSystem", "CofferTestSupport",
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferProfileTests",
            dependencies: [
                "CofferModel", "CofferProfile", "CofferTestSupport",
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferPluginHostTests",
            dependencies: [
                "CofferBackend", "CofferModel", "CofferPluginHost", "CofferSystem", "CofferTestSupport",
                sdk("CCofferPlugin"), sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferLoader"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferServiceTests",
            dependencies: [
                "CofferBackend", "CofferModel", "CofferService", "CofferSystem", "CofferTestSupport",
                sdk("CofferCrypto"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferHTTPTests",
            dependencies: [
                "CofferHTTP", "CofferSystem", "CofferTestSupport",
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferAPITests",
            dependencies: [
                "CofferAPI", "CofferModel", "CofferTestSupport",
                sdk("CofferJSON"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferClientTests",
            dependencies: [
                "CofferAPI", "CofferClient", "CofferModel", "CofferSystem", "CofferTestSupport",
                sdk("CofferJSON"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferHostTests",
            dependencies: [
                "CofferAPI", "CofferClient", "CofferModel", "CofferSystem", "CofferTestSupport",
                sdk("CofferConformance"), sdk("CofferJSON"), sdk("CofferLoader"), sdk("CofferThroughHost"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "GCSBackendTests",
            dependencies: [
                "GCSStore",
                sdk("CofferCrypto"), sdk("CofferJSON"), sdk("CofferPluginSDK"), sdk("CofferTransport"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "GridFSStoreTests",
            dependencies: ["GridFSModel", "GridFSStore", sdk("CofferPluginSDK")],
            swiftSettings: house
        ),
        .testTarget(
            name: "AzureBackendTests",
            dependencies: [
                "AzureStore",
                sdk("CofferCrypto"), sdk("CofferPluginSDK"), sdk("CofferTransport"),
            ],
            swiftSettings: house
        ),
        .testTarget(name: "CofferCLITests", dependencies: ["CofferSystem", "CofferTestSupport"], swiftSettings: house),
        .testTarget(
            name: "DropboxBackendTests",
            dependencies: ["DropboxStore", sdk("CofferJSON"), sdk("CofferPluginSDK"), sdk("CofferTransport")],
            swiftSettings: house
        ),
        .testTarget(
            name: "FTPBackendTests",
            dependencies: ["FTPBackend", sdk("CofferPluginSDK")],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferSDKTests",
            dependencies: [
                "CofferSystem", "CofferTestSupport",
                sdk("CCofferPlugin"), sdk("CofferConformance"), sdk("CofferCrypto"), sdk("CofferJSON"),
                sdk("CofferLoader"), sdk("CofferPluginSDK"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "S3BackendTests",
            dependencies: [
                "S3Store",
                sdk("CofferCrypto"), sdk("CofferMetadata"), sdk("CofferPluginSDK"), sdk("CofferTransport"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "OpenStackBackendTests",
            dependencies: [
                "OpenStackStore",
                sdk("CofferCrypto"), sdk("CofferMetadata"), sdk("CofferPluginSDK"), sdk("CofferTransport"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferListingTests",
            dependencies: [sdk("CCofferPlugin"), sdk("CofferListing"), sdk("CofferPluginSDK")],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferPartsTests",
            dependencies: [sdk("CofferParts"), sdk("CofferPluginSDK")],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferTransportTests",
            dependencies: [
                "CofferSystem", "CofferTestSupport",
                sdk("CofferPluginSDK"), sdk("CofferTransport"), sdk("CofferXML"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "WebDAVBackendTests",
            dependencies: ["WebDAVBackend", sdk("CofferPluginSDK"), sdk("CofferXML")],
            swiftSettings: house
        ),
        .testTarget(
            name: "CofferPluginTests",
            dependencies: [
                "CofferSystem", "CofferTestSupport", "LocalBackend",
                sdk("CCofferPlugin"), sdk("CofferConformance"), sdk("CofferCrypto"), sdk("CofferLoader"),
                sdk("CofferPluginSDK"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "LibcloudBackendTests",
            dependencies: ["LibcloudStore", sdk("CofferJSON"), sdk("CofferPluginSDK")],
            swiftSettings: house
        ),
        .testTarget(
            name: "SFTPBackendTests",
            dependencies: [
                "SFTPBackend", "SFTPWire", "SSHTransport", sdk("CofferPluginSDK"),
            ],
            swiftSettings: house
        ),
    ]
)
