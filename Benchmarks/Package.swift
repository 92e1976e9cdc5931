// swift-tools-version: 6.1
import PackageDescription

// A package of its own: the product neither builds nor ships what measures it. Mock and load are
// epoll by hand, since what drives the subjects must cost less than they do.

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]
let arguments = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "benchmarks",
  products: [
    .executable(name: "mock-upstream", targets: ["mock-upstream"]),
    .executable(name: "load-generator", targets: ["load-generator"]),
    .executable(name: "bench", targets: ["bench"]),
    .library(name: "sigsuspend", type: .dynamic, targets: ["CSigsuspend"]),
  ],
  dependencies: [
    .package(url: "https://github.com/jpsim/Yams.git", from: "6.0.0"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "CSigsuspend"),
    .target(
      name: "Measures", dependencies: [.product(name: "Yams", package: "Yams")],
      swiftSettings: settings),
    .target(name: "Sockets", dependencies: ["CLinux"], swiftSettings: settings),
    .executableTarget(
      name: "mock-upstream", dependencies: ["Sockets", arguments], swiftSettings: settings),
    .executableTarget(
      name: "load-generator", dependencies: ["Sockets", "Measures", arguments],
      swiftSettings: settings),
    .executableTarget(
      name: "bench", dependencies: ["Sockets", "Measures", arguments], swiftSettings: settings),
    .testTarget(name: "MeasuresTests", dependencies: ["Measures"], swiftSettings: settings),
  ]
)
