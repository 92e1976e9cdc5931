// Who may import whom: the table of docs/ARCHITECTURE, enforced.

import Foundation
import Testing

@Suite struct ImportTests {
  /// The C library's calls and nothing else: no clock, no file is read through it.
  private static let libc: Set = ["Glibc", "Musl", "Darwin"]
  /// The system's own libraries, which an edge may use.
  private static let system = libc.union(["Foundation", "Dispatch", "Synchronization"])

  /// Own modules and libraries that each module may import; an edge also those of `system`.
  private static let allowed: [String: Set<String>] = [
    "Metering": [],
    "Providers": libc.union(["Metering", "Foundation"]),
    "Contracts": ["Foundation"],
    "Drift": libc,
    "Labels": ["Drift", "Foundation", "Crypto"],
    "Alerting": [],
    "Wire": libc,
    "Tokens": ["CTokenData"],
    "Curl": system.union(["CCurl"]),
    "Markup": ["Mustache"],
    "Store": system.union(["Metering", "GRDB", "GRDBSQLite", "Logging"]),
    "Telemetry": system.union(["Metering", "Metrics"]),
    "Notify": system.union([
      "Metering", "Alerting", "Store", "Curl", "Logging", "ServiceLifecycle",
    ]),
    "Gateway": system.union([
      "Metering", "Providers", "Contracts", "Curl", "Store", "Telemetry", "Tokens", "Wire",
      "Crypto", "NIOCore", "NIOPosix", "NIOSSL", "NIOTLS", "Logging", "ServiceLifecycle",
    ]),
    "Analyzer": system.union([
      "Metering", "Contracts", "Drift", "Labels", "Alerting", "Store", "Markup", "Logging",
      "ServiceLifecycle",
    ]),
    "Admin": system.union([
      "Metering", "Markup", "Crypto", "Hummingbird", "HummingbirdCore", "Mustache", "Logging",
      "ServiceLifecycle",
    ]),
    "Rehearsal": system.union(["Wire", "NIOCore", "NIOPosix", "Logging", "ServiceLifecycle"]),
    "leeway": ["App"],
  ]

  @Test func modulesImportOnlyWhatTheTableAllows() {
    for (path, text) in Tree.swift where path.hasPrefix("Sources/") {
      let parts = path.split(separator: "/")
      guard parts.count > 2, let allowed = Self.allowed[String(parts[1])] else { continue }
      for name in imports(in: text) where !allowed.contains(name) {
        Issue.record("\(path) imports \(name), which \(parts[1]) may not")
      }
    }
  }

  @Test func everyModuleIsInTheReadmeAndTheTable() throws {
    let readme = try Tree.text(of: "README.md")
    let architecture = try Tree.text(of: "docs/ARCHITECTURE.md")
    let folder = Tree.root.appending(path: "Sources").path
    let modules = try FileManager.default.contentsOfDirectory(atPath: folder)
    for module in modules where module != "CCurl" && module != "CTokenData" {
      #expect(readme.contains("**\(module)**"), "README.md does not name \(module)")
      #expect(
        architecture.contains("**\(module)**"), "docs/ARCHITECTURE.md does not name \(module)")
    }
  }

  @Test func noTypeIsNamedAsAModule() {
    let modules = Self.allowed.keys + ["App"]
    for (path, text) in Tree.swift where path.hasPrefix("Sources/") {
      for module in modules {
        let pattern = "(struct|class|enum|actor|protocol) \(module)( |:|<)"
        if text.range(of: pattern, options: .regularExpression) != nil {
          Issue.record("\(path) declares a type named as the module \(module)")
        }
      }
    }
  }

  private func imports(in text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      var words = line.split(separator: " ").map(String.init)
      if words.first?.hasPrefix("@") == true { words.removeFirst() }
      if words.first == "public" || words.first == "internal" { words.removeFirst() }
      guard words.count >= 2, words[0] == "import" else { return nil }
      let name = words[1] == "struct" || words[1] == "class" ? words[2] : words[1]
      return name.split(separator: ".").first.map {
        $0 == "FoundationEssentials" ? "Foundation" : String($0)
      }
    }
  }
}
