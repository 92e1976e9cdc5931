// The overview as the template wants it: every text final, every decision made.

import Metering

/// What the overview template names.
struct OverviewModel {
  struct Tile {
    var name: String
    var value: String
    var tone: String
  }

  struct Bar {
    var name: String
    var tone: String
    var used: Int
    var held: Int
    var spent: String
    var cap: String
    var percent: String
    /// Nil: nothing is held.
    var reserved: String?
    /// Nil: it never resets.
    var resets: String?
    var label: String
  }

  struct Verdict {
    var word: String
    var tone: String
    var detail: String
    var at: String
    var link: String?
  }

  struct Row {
    var name: String
    var owner: String
    var isCapped: Bool
    var isIsolated: Bool
    var reason: String?
    var isFull: Bool
    var isRunning: Bool
    var bars: [Bar]
    var isUncapped: Bool
    var spent: String
    var calls: String
    var errors: String
    var hasErrors: Bool
    var errorTone: String
    var errorShare: String?
    var refusals: String
    var hasRefusals: Bool
    var unknownUsage: String?
    var verdict: Verdict?
  }

  struct Shared {
    var name: String
    var owner: String
    var bars: [Bar]
  }

  struct Health {
    var name: String
    var value: String
    var isFine: Bool
  }

  var title: String
  var version: String
  var at: String
  var period: String
  var refreshSeconds: Int?
  var nonce: String
  var headline: String
  var headlineTone: String
  var tiles: [Tile]
  var rows: [Row]
  var hasNoApps: Bool
  var shared: [Shared]
  var hasShared: Bool
  var health: [Health]

  init(_ overview: Overview, refreshSeconds: Int, nonce: String) {
    version = overview.version
    at = overview.atText
    period = overview.periodText
    self.refreshSeconds = refreshSeconds
    self.nonce = nonce
    // What needs a person comes first; else the order stays the same from one load to the next.
    let apps = overview.apps.sorted { ($0.urgency, $0.name) < ($1.urgency, $1.name) }
    rows = apps.map(Row.init)
    hasNoApps = apps.isEmpty
    shared = overview.shared.map {
      Shared(name: $0.name, owner: $0.owner, bars: $0.budgets.map(Bar.init))
    }
    hasShared = !shared.isEmpty
    health = overview.health.map { Health(name: $0.name, value: $0.value, isFine: $0.isFine) }
    (headline, headlineTone) = Self.headline(overview)
    title = headline + " · Leeway"
    tiles = Self.tiles(overview)
  }

  private static func headline(_ overview: Overview) -> (String, String) {
    func apps(_ count: Int) -> String { count == 1 ? "1 app" : "\(count) apps" }
    let capped = overview.apps.filter { $0.state != .running }.count
    let full = overview.apps.filter { $0.state == .running && $0.isFull }.count
    let drifted = overview.apps.filter { $0.verdict?.tone == .bad }.count
    let ill = overview.health.filter { !$0.isFine }.count
    var parts: [String] = []
    if ill > 0 {
      parts.append(ill == 1 ? "1 system check failing" : "\(ill) system checks failing")
    }
    if capped > 0 { parts.append("\(apps(capped)) stopped") }
    if full > 0 { parts.append("\(apps(full)) at the cap") }
    let shared = overview.shared.filter { $0.budgets.contains(where: \.isFull) }.map(\.name)
    if !shared.isEmpty { parts.append("\(shared.joined(separator: ", ")) at the cap") }
    if drifted > 0 { parts.append("\(apps(drifted)) drifted") }
    if !parts.isEmpty { return (parts.joined(separator: ", "), ill + capped > 0 ? "bad" : "watch") }
    return overview.apps.isEmpty ? ("No apps yet", "unclear") : ("All apps running", "good")
  }

  /// From one call in a hundred on; a stray error is a figure, not an alarm.
  static func errorTone(_ errors: Int64, of calls: Int64) -> String {
    errors > 0 && errors >= calls / 100 ? "bad" : ""
  }

  private static func tiles(_ overview: Overview) -> [Tile] {
    func sum(_ count: (Overview.AppLine) -> Int64) -> Int64 {
      overview.apps.reduce(0) { $0 + count($1) }
    }
    let spent = overview.apps.reduce(Money.zero) { $0.addingClamped($1.spent) }
    let errors = sum(\.errors)
    let refusals = sum(\.refusals)
    return [
      Tile(name: "Spent", value: PageText.dollars(spent), tone: ""),
      Tile(name: "Calls", value: sum(\.calls).groupedText, tone: ""),
      Tile(
        name: "Errors", value: errors.groupedText, tone: errorTone(errors, of: sum(\.calls))),
      Tile(name: "Refusals", value: refusals.groupedText, tone: refusals > 0 ? "watch" : ""),
      Tile(name: "Open now", value: overview.openCalls.groupedText, tone: ""),
    ]
  }
}

extension OverviewModel.Row {
  init(_ app: Overview.AppLine) {
    name = app.name
    owner = app.owner
    switch app.state {
    case .running: (isCapped, isIsolated, reason) = (false, false, nil)
    case .capped(let text): (isCapped, isIsolated, reason) = (true, false, text)
    case .isolated(let text): (isCapped, isIsolated, reason) = (false, true, text)
    }
    isFull = !isCapped && !isIsolated && app.isFull
    isRunning = !isCapped && !isIsolated && !isFull
    bars = app.budgets.map(OverviewModel.Bar.init)
    isUncapped = app.budgets.isEmpty
    spent = PageText.dollars(app.spent)
    calls = app.calls.groupedText
    errors = app.errors.groupedText
    hasErrors = app.errors > 0
    errorTone = OverviewModel.errorTone(app.errors, of: app.calls)
    errorShare = app.errors > 0 && app.calls > 0 ? Self.share(app.errors, of: app.calls) : nil
    refusals = app.refusals.groupedText
    hasRefusals = app.refusals > 0
    unknownUsage = app.unknownUsage > 0 ? app.unknownUsage.groupedText : nil
    verdict = app.verdict.map(OverviewModel.Verdict.init)
  }

  private static func share(_ part: Int64, of whole: Int64) -> String {
    let permille = part * 1000 / max(whole, 1)
    return permille == 0 ? "<0.1 %" : "\(permille / 10).\(permille % 10) %"
  }
}

extension OverviewModel.Bar {
  init(_ line: Overview.BudgetLine) {
    name = line.name
    let used = PageText.permille(line.settled.count, of: line.cap.count)
    self.used = used
    held = min(PageText.permille(line.reserved.count, of: line.cap.count), 1000 - used)
    spent = PageText.amount(line.settled)
    cap = PageText.amount(line.cap)
    let percent = PageText.percent(line.settled.count, of: line.cap.count)
    self.percent = percent == 0 && line.settled.count > 0 ? "<1 %" : "\(percent) %"
    tone = percent >= 100 ? "bad" : percent >= 80 ? "watch" : "good"
    reserved = line.reserved.count > 0 ? PageText.amount(line.reserved) : nil
    resets = line.resetsAtText.isEmpty ? nil : line.resetsAtText
    label = "\(line.name): \(spent) of \(cap) spent, \(percent) percent"
  }
}

extension OverviewModel.Verdict {
  init(_ line: Overview.VerdictLine) {
    word = line.word
    tone = line.tone.rawValue
    detail = line.detail
    at = line.atText
    link = line.reportPath.map { "/reports/" + PageLink.encoded($0) }
  }
}

extension Overview.BudgetLine {
  var isFull: Bool { settled.count >= cap.count }
}

extension Overview.AppLine {
  /// Has a budget nothing left?
  var isFull: Bool { budgets.contains { $0.isFull && !$0.isPart } }

  /// The lower, the sooner a person should look.
  var urgency: Int {
    if state != .running { return 0 }
    if isFull { return 1 }
    if verdict?.tone == .bad { return 2 }
    if budgets.contains(where: { PageText.percent($0.settled.count, of: $0.cap.count) >= 80 }) {
      return 3
    }
    return verdict?.tone == .watch ? 4 : 5
  }
}
