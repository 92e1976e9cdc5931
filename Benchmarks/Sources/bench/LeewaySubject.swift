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
    let folder = name
    let thresholds = "\(site.folder(folder))/thresholds"
    try writeThresholds(site, scenario, port: port, adminPort: adminPort)
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
    var running = RunningSubject(name: name, port: port, process: process, keys: keyFile)
    let books = { LeewayBooks(try TCPSocket.fetch(port: adminPort, path: "/metrics")) }
    running.verify = { try books().check(calls: $0, isExact: $1) }
    running.verifyOpen = { try books().check(open: $0) }
    return running
  }

  private func writeThresholds(
    _ site: Site, _ scenario: Scenario, port: UInt16, adminPort: UInt16
  ) throws {
    let folder = name
    let here = site.folder(folder)
    let scheme = scenario.isTLS ? "https" : "http"
    let url = "\(scheme)://127.0.0.1:\(try site.upstreamPort(for: scenario))"
    let trust = scenario.isTLS ? ", trustRoots: \"\(site.certificate)\"" : ""
    let tls = "tls: { certificate: \"\(site.certificate)\", key: \"\(site.privateKey)\" }"
    let gateway = """
      listen: { host: 127.0.0.1, port: \(port) }
      admin: { host: 127.0.0.1, port: \(adminPort) }
      store: \(here)/leeway.sqlite
      journal: { directory: \(here)/journal }
      reports: \(here)/reports
      eventLoops: 1
      bounds: { connectionsMax: 32768 }
      timeouts: { silenceSeconds: 600, idleSeconds: 600, shutdownSeconds: 1 }
      upstreams:
        \(scenario.upstream): { dialect: openai, url: "\(url)"\(trust) }
      \(scenario.isTLS ? tls : "")

      """
    _ = try site.write(gateway, to: "\(folder)/thresholds/gateway.yaml")
    let defaults = """
      owner: { name: benchmark }
      upstream: [\(scenario.upstream)]
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
        site.leewayPath, "check", "--thresholds", "\(site.folder(folder))/thresholds",
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

  func check(calls: Int, isExact: Bool) throws {
    let counted = sum("leeway_calls_total") { $0.contains("status=\"2xx\"") }
    guard isExact ? counted == Double(calls) : counted >= Double(calls) else {
      throw BenchFault("leeway counted \(Int(counted)) good calls, \(calls) were made")
    }
    guard sum("leeway_cost_dollars_total") > 0 else {
      throw BenchFault("leeway charged nothing for \(calls) calls")
    }
    guard sum("leeway_refusals_total") == 0 else { throw BenchFault("leeway refused calls") }
  }

  func check(open calls: Int) throws {
    let counted = sum("leeway_open_calls")
    guard counted == Double(calls) else {
      throw BenchFault("leeway knows of \(Int(counted)) open calls; there are \(calls)")
    }
  }

  private func sum(_ name: String, where condition: (Substring) -> Bool = { _ in true }) -> Double {
    text.split(separator: "\n")
      .filter { ($0.hasPrefix(name + "{") || $0.hasPrefix(name + " ")) && condition($0) }
      .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
      .reduce(0, +)
  }
}
