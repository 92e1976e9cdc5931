// swift-tools-version: 6.2
import PackageDescription

// Benchmarks of the core and the store by themselves. Apart from ../Package.swift, since this one
// compiles the product's modules, which takes minutes, and the proxies' benchmark needs none.
let package = Package(
  name: "leeway-core-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "leeway", path: "../.."),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.0.0"),
  ],
  targets: [
    .target(name: "CAllocations"),
    .executableTarget(
      name: "core-bench",
      dependencies: [
        "CAllocations", .product(name: "LeewayCore", package: "leeway"),
        .product(name: "LeewayDrift", package: "leeway"),
        .product(name: "LeewayAnalyzer", package: "leeway"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // The drift mathematics by simulation: builds without the store.
    .executableTarget(
      name: "drift-bench",
      dependencies: [
        .product(name: "LeewayDrift", package: "leeway"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ]),
  ]
)
