// Leeway with everything on: metering, budgets, journal, metrics, samples of one call in a hundred.

import Foundation
import Sockets

struct LeewaySubject: Subject {
  let name: String
  /// Declared; the load is spread over `keyCount` of them.
  var apps = 1
  var keyCount = 1

  /// Three windows are what is asked of the measurement; the pair is for a build that has no more.
  private static let windowChoices = [["hour", "day", "month"], ["day", "month"]]

  func start(_ site: Site, for scenario: Scenario) throws -> RunningSubject {
    let port = try TCPSocket.freePort()
    let adminPort = try TCPSocket.freePort()
    let folder = "\(name)-\(scenario.name)"
    let thresholds = "\(site.directory)/\(folder)/thresholds"
    try writeThresholds(site, folder: folder, port: port, adminPort: adminPort)
    let names = (0..<apps).map { "bench\($0)" }
    try settleWindows(site, folder: folder, apps: names)
    let keys = try names.prefix(keyCount).map { app in
      let command = [site.leewayPath, "keys", "issue", app, "--thresholds", thresholds]
      return try runCommand(command, log: site.log("\(name)-keys"))
    }
    let keyFile = try site.write(keys.joined(), to: "\(folder)/keys")
    let process = try launch(
      [site.leewayPath, "serve", "--thresholds", thresholds], port: port, site: site,
      environment: ["SWIFT_BACKTRACE": "enable=no"])
    return RunningSubject(name: name, port: port, process: process, keys: keyFile) { calls in
      try LeewayBooks(try TCPSocket.fetch(port: adminPort, path: "/metrics")).check(calls: calls)
    }
  }

  private func writeThresholds(
    _ site: Site, folder: String, port: UInt16, adminPort: UInt16
  ) throws {
    let upstreams = site.upstreamPorts.sorted { $0.key < $1.key }.map { name, port in
      "  \(name): { dialect: openai, url: \"http://127.0.0.1:\(port)\" }\n"
    }
    let here = "\(site.directory)/\(folder)"
    let gateway = """
      listen: { host: 127.0.0.1, port: \(port) }
      admin: { host: 127.0.0.1, port: \(adminPort) }
      store: \(here)/leeway.sqlite
      journal: { directory: \(here)/journal }
      reports: \(here)/reports
      eventLoops: 1
      bounds: { connectionsMax: 32768 }
      timeouts: { silenceSeconds: 600, idleSeconds: 600 }
      upstreams:
      \(upstreams.joined())
      """
    _ = try site.write(gateway, to: "\(folder)/thresholds/gateway.yaml")
    let defaults = """
      owner: { name: benchmark }
      upstream: [json]
      samples: { rate: 0.01 }
      classifiers:
        - { name: refusal, kind: refusal }

      """
    _ = try site.write(defaults, to: "\(folder)/thresholds/defaults.yaml")
    try FileManager.default.copyItem(
      atPath: "\(site.repository)/thresholds/prices", toPath: "\(here)/thresholds/prices")
  }

  /// Writes the apps with as many budgets as this build of Leeway has windows for.
  private func settleWindows(_ site: Site, folder: String, apps: [String]) throws {
    var fault: (any Error)?
    for windows in Self.windowChoices {
      let caps = windows.map { "\($0): \"1000000.00\"" }.joined(separator: ", ")
      for app in apps {
        _ = try site.write("budgets: { \(caps) }\n", to: "\(folder)/thresholds/apps/\(app).yaml")
      }
      let command = [
        site.leewayPath, "check", "--thresholds", "\(site.directory)/\(folder)/thresholds",
      ]
      do {
        try runCommand(command, log: site.log("\(name)-check"))
        return
      } catch { fault = error }
    }
    if let fault { throw fault }
  }
}

/// What the gateway says of its own calls: a gateway that is fast since it does not meter is not
/// the product.
struct LeewayBooks {
  private let text: String

  /// - Parameter text: the answer of /metrics.
  init(_ text: String) { self.text = text }

  func check(calls: Int) throws {
    let counted = sum("leeway_calls_total") { $0.contains("status=\"2xx\"") }
    guard counted == Double(calls) else {
      throw BenchFault("leeway counted \(Int(counted)) good calls, \(calls) were made")
    }
    guard sum("leeway_cost_dollars_total") > 0 else {
      throw BenchFault("leeway charged nothing for \(calls) calls")
    }
    guard sum("leeway_refusals_total") == 0 else { throw BenchFault("leeway refused calls") }
  }

  private func sum(_ name: String, where condition: (Substring) -> Bool = { _ in true }) -> Double {
    text.split(separator: "\n")
      .filter { ($0.hasPrefix(name + "{") || $0.hasPrefix(name + " ")) && condition($0) }
      .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
      .reduce(0, +)
  }
}
