// swift-tools-version: 6.2
import PackageDescription

// Targets stand in dependency order: the core first, then the edges, then what assembles them.

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]

func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
// SQLite's own calls on GRDB's connections.
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// - Parameter exclude: folders of data and of scripts that make it, found by path.
func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
  name: "leeway",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "leeway", targets: ["leeway"]),
    // For Benchmarks/Core, which measures these modules by themselves.
    .library(name: "LeewayCore", targets: ["Metering", "Store", "Tokens"]),
    .library(name: "LeewayDrift", targets: ["Drift"]),
    .library(name: "LeewayAnalyzer", targets: ["Analyzer", "Labels"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.81.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-metrics.git", from: "2.5.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.0.0"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.5.0"),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.0.0"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.10.0", traits: []),
    .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.0.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.7.0"),
  ],
  targets: [
    // Core: values and rules, no I/O.
    module("Metering"),
    module("Providers", ["Metering"]),
    module("Contracts"),
    module("Drift"),
    module("Labels", ["Drift", crypto]),
    module("Alerting"),
    module("Wire"),
    .target(
      name: "CTokenData", exclude: ["README.md", "cl100k_base.tokens", "o200k_base.tokens"]),
    module("Tokens", ["CTokenData"]),
    // Edges.
    .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
    module("Curl", ["CCurl"]),
    module("Markup", [mustache]),
    module("Store", ["Metering", grdb, sqlite, logging]),
    module("Telemetry", ["Metering", metrics]),
    module("Notify", ["Metering", "Alerting", "Store", "Curl", lifecycle, logging]),
    module(
      "Gateway",
      [
        "Metering", "Providers", "Contracts", "Curl", "Store", "Telemetry", "Tokens", "Wire",
        nio("NIOCore"), nio("NIOPosix"), nio("NIOTLS"), nioSSL, crypto, lifecycle, logging,
      ]),
    module(
      "Analyzer",
      [
        "Metering", "Contracts", "Drift", "Labels", "Alerting", "Store", "Markup", lifecycle,
        logging,
      ]),
    module(
      "Admin",
      [
        "Metering", "Markup", .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"), crypto, mustache, lifecycle,
        logging,
      ]),
    module("Rehearsal", ["Wire", nio("NIOCore"), nio("NIOPosix"), lifecycle, logging]),
    // Assembly.
    module(
      "App",
      [
        "Metering", "Providers", "Contracts", "Drift", "Labels", "Alerting", "Curl", "Store",
        "Telemetry", "Notify", "Gateway", "Analyzer", "Admin", "Rehearsal",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"), crypto, metrics, lifecycle, logging,
        nio("NIOPosix"),
      ]),
    .executableTarget(name: "leeway", dependencies: ["App"], swiftSettings: settings),
    // Tests, a folder per module.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    .target(
      name: "WireFuzzing",
      dependencies: ["Wire", "TestSupport", nio("NIOCore"), nio("NIOEmbedded"), nio("NIOHTTP1")],
      path: "Tests/WireFuzzing", swiftSettings: settings),
    .executableTarget(
      name: "wire-fuzz",
      dependencies: [
        "Wire", "WireFuzzing", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/WireFuzz", swiftSettings: settings),
    tests("MeteringTests", ["Metering", "TestSupport"]),
    tests("ProvidersTests", ["Providers", "Metering", "TestSupport"]),
    tests("ContractsTests", ["Contracts", "TestSupport"]),
    tests("DriftTests", ["Drift", "TestSupport"], exclude: ["Oracles"]),
    tests("LabelsTests", ["Labels", "Drift", "TestSupport"]),
    tests("AlertingTests", ["Alerting", "TestSupport"]),
    tests("WireTests", ["Wire", "WireFuzzing", "TestSupport"], exclude: ["Inflate"]),
    tests("TokensTests", ["Tokens", "TestSupport"], exclude: ["Peers"]),
    tests("MarkupTests", ["Markup", "TestSupport", mustache]),
    tests("StoreTests", ["Store", "Metering", "TestSupport"]),
    tests("TelemetryTests", ["Telemetry", "Metering", "TestSupport", metrics]),
    tests(
      "NotifyTests",
      ["Notify", "Curl", "Metering", "Store", "TestSupport", logging]),
    tests(
      "GatewayTests",
      [
        "Gateway", "Metering", "Providers", "Store", "Telemetry", "Tokens", "Wire", "TestSupport",
        nio("NIOCore"), crypto, logging,
      ], exclude: ["Coded", "Peers"]),
    tests(
      "AnalyzerTests",
      [
        "Analyzer", "App", "Alerting", "Drift", "Labels", "Metering", "Store", "TestSupport",
        logging,
      ]),
    tests("AdminTests", ["Admin", "Metering", "TestSupport", crypto, lifecycle, logging]),
    tests(
      "RehearsalTests",
      ["Rehearsal", "Wire", "TestSupport", nio("NIOCore"), nio("NIOPosix"), lifecycle, logging]),
    tests(
      "AppTests",
      [
        "App", "Alerting", "Analyzer", "Gateway", "Labels", "Metering", "Providers", "Store",
        "TestSupport", logging,
      ],
      exclude: ["Peers"]),
    tests("Acceptance", ["leeway", "Metering", "Store", "TestSupport"], exclude: ["Peers"]),
    tests("Tidy", []),
  ]
)
