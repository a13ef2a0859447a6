// swift-tools-version: 6.2
import PackageDescription

// The program that `bench` compares with a loop in C: a package of its own, so that no build of the project pays for it.

let package = Package(
    name: "transport-bench",
    dependencies: [.package(path: "../../../plugin-sdk")],
    targets: [
        .executableTarget(
            name: "transport-bench",
            dependencies: [
                .product(name: "CofferPluginSDK", package: "plugin-sdk"),
                .product(name: "CofferTransport", package: "plugin-sdk"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        )
    ]
)
