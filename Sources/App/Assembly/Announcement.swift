// What `leeway serve` prints when it is ready: where it listens, and a call that works.

import Foundation
import Metering
import Store

/// The greeting.
struct Announcement: Sendable {
  let settings: Settings
  let store: StoreDatabase
  let gatewayPort: Int
  let runsAnalyzer: Bool

  /// The label of the keys that greetings issue; the last one's is revoked by the next.
  private static let keyLabel = "printed at start"

  func show(adminPort: Int) {
    let gateway = settings.gateway
    let scheme = gateway.tls == nil ? "http" : "https"
    let base = "\(scheme)://\(shown(gateway.listen.host)):\(gatewayPort)"
    Console.line("Leeway \(LeewayVersion.text) is ready.")
    Console.line("  gateway  \(base)")
    Console.line("  admin    http://\(shown(gateway.admin.host)):\(adminPort)")
    Console.line("  reports  \(Path.absolute(gateway.reportsDirectory))")
    if runsAnalyzer {
      let analyzer = gateway.analyzer
      let minute = analyzer.minute < 10 ? "0\(analyzer.minute)" : "\(analyzer.minute)"
      Console.line("  nightly  \(analyzer.hour):\(minute) \(analyzer.timeZone)")
    }
    if let sandbox = settings.apps.first(where: \.isSandbox) { printCall(sandbox, base: base) }
    Console.flush()
  }

  /// A command line with a fresh key, which works as it stands.
  private func printCall(_ app: AppSettings, base: String) {
    guard let upstream = settings.upstream(of: app) else { return }
    let key = VirtualKey.make()
    do {
      let now = Clock.now()
      for old in try store.keys(app: app.name) where !old.isRevoked && old.label == Self.keyLabel {
        try store.revokeKey(id: old.id, actor: "serve", at: now)
      }
      try store.issueKey(
        app: app.name, hashHex: key.hashHex, hint: key.hint, label: Self.keyLabel, actor: "serve",
        at: now)
    } catch {
      Console.error("leeway: no key could be issued for app '\(app.name)': \(error)")
      return
    }
    let budget =
      app.budgets.caps[.span(.day)]?.money.map { ", at most $\($0.dollarsText) a day" } ?? ""
    Console.line("")
    Console.line("Try it (app '\(app.name)'\(budget), answered by '\(upstream.name)'):")
    let model = app.models?.first { !$0.hasSuffix("*") } ?? "gpt-4o-mini"
    Console.line("  curl \(base)/v1/chat/completions \\")
    Console.line("    -H 'Authorization: Bearer \(key.secret)' \\")
    Console.line("    -H 'Content-Type: application/json' \\")
    Console.line(
      "    -d '{\"model\": \"\(model)\", \"messages\": "
        + "[{\"role\": \"user\", \"content\": \"Hello\"}]}'")
  }

  /// An address that listens everywhere cannot be called; this machine's can.
  private func shown(_ host: String) -> String {
    switch host {
    case "0.0.0.0", "::": "127.0.0.1"
    case _ where host.contains(":"): "[\(host)]"
    default: host
    }
  }
}
