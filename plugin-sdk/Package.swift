// swift-tools-version: 6.2
import PackageDescription

// Everything a plugin author needs, usable without the host. Lowest room first; a room lists only what it imports.

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
let pure = house + [.strictMemorySafety()]  // No pointers here: using one is a compile error.
let houseC: [CSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "plugin-sdk",
    products: [
        .library(name: "CCofferPlugin", targets: ["CCofferPlugin"]),
        .library(name: "CofferConformance", targets: ["CofferConformance"]),
        .library(name: "CofferCrypto", targets: ["CofferCrypto"]),
        .library(name: "CofferJSON", targets: ["CofferJSON"]),
        .library(name: "CofferListing", targets: ["CofferListing"]),
        .library(name: "CofferLoader", targets: ["CofferLoader"]),
        .library(name: "CofferMetadata", targets: ["CofferMetadata"]),
        .library(name: "CofferParts", targets: ["CofferParts"]),
        .library(name: "CofferPluginSDK", targets: ["CofferPluginSDK"]),
        .library(name: "CofferTLS", targets: ["CofferTLS"]),
        .library(name: "CofferThroughHost", targets: ["CofferThroughHost"]),
        .library(name: "CofferTransport", targets: ["CofferTransport"]),
        .library(name: "CofferXML", targets: ["CofferXML"]),
        .executable(name: "coffer-plugin-check", targets: ["coffer-plugin-check"]),
    ],
    targets: [
        // The contract: one C header.
        .target(name: "CCofferPlugin", path: "C", cSettings: houseC),

        // Writing a plugin in Swift.
        .target(name: "CofferPluginSDK", dependencies: ["CCofferPlugin"], path: "Swift", swiftSettings: house),

        // Listing in byte order what lies in directories.
        .target(name: "CofferListing", dependencies: ["CofferPluginSDK"], path: "Listing", swiftSettings: house),

        // Digests and checksums, over OpenSSL; JSON without Foundation.
        .systemLibrary(name: "COpenSSL", path: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CChecksum", path: "CChecksum", cSettings: houseC),
        .target(name: "CofferCrypto", dependencies: ["CChecksum", "COpenSSL"], path: "Crypto", swiftSettings: house),
        .target(name: "CofferJSON", path: "JSON", swiftSettings: pure),

        // TLS over sockets, for protocols that are not HTTP; over OpenSSL's libssl.
        .target(
            name: "CTLS",
            path: "CTLS",
            cSettings: houseC,
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        .target(name: "CofferTLS", dependencies: ["CTLS"], path: "TLS", swiftSettings: house),
        // HTTP for backends, over libcurl; XML, over expat.
        .target(
            name: "CCurl",
            path: "CCurl",
            cSettings: houseC,
            linkerSettings: [.linkedLibrary("curl")]
        ),
        .target(
            name: "CofferTransport",
            dependencies: ["CCurl", "CofferPluginSDK"],
            path: "Transport",
            swiftSettings: house
        ),
        // Large objects in parts, over several connections.
        .target(
            name: "CofferParts",
            dependencies: ["CofferPluginSDK", "CofferTransport"],
            path: "Parts",
            swiftSettings: house
        ),
        // User metadata in header fields.
        .target(
            name: "CofferMetadata",
            dependencies: ["CofferCrypto", "CofferPluginSDK", "CofferTransport"],
            path: "Metadata",
            swiftSettings: house
        ),
        .systemLibrary(name: "CExpat", path: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .target(name: "CofferXML", dependencies: ["CExpat"], path: "XML", swiftSettings: house),

        // Loading a plugin: probe, trust, negotiation, typed calls.
        .target(name: "CLoader", path: "CLoader", cSettings: houseC),
        .target(
            name: "CofferLoader",
            dependencies: ["CCofferPlugin", "CLoader", "CofferCrypto", "CofferJSON"],
            path: "Loader",
            swiftSettings: house
        ),

        // Proving a plugin.
        .target(
            name: "CofferConformance",
            dependencies: ["CCofferPlugin", "CofferLoader"],
            path: "Conformance",
            swiftSettings: house
        ),
        .target(
            name: "CofferThroughHost",
            dependencies: ["CCofferPlugin", "CofferConformance", "CofferJSON", "CofferLoader", "CofferPluginSDK"],
            path: "ThroughHost",
            swiftSettings: house
        ),
        .executableTarget(
            name: "coffer-plugin-check",
            dependencies: ["CofferConformance", "CofferJSON", "CofferLoader", "CofferThroughHost"],
            path: "Check",
            swiftSettings: house
        ),
    ]
)
