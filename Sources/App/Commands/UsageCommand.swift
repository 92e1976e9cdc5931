// What was spent, by app and model.

import ArgumentParser
import Foundation
import Metering
import Store

struct UsageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "usage", abstract: "Show tokens and money by app and model.",
    discussion: """
      Example:  leeway usage --app support --since 7d
      Reported usage is the provider's own; estimated is ours, where the provider was silent.
      HELD is how many times its cost was held for a call until its usage was reported.
      Below stand the budgets that apps share, and those that are over their cap; --budgets shows
      all there are, as they stand now.
      """)

  @OptionGroup var policy: PolicyOptions
  @Option(help: "Only this app.") var app: String?
  @Option(help: "From: an ISO 8601 time, a date, or a span back from now such as 24h or 7d.")
  var since = "30d"
  @Option(help: "Up to, not including; as --since.") var until: String?
  @Flag(help: "Show the budgets in their windows of now in place of the calls.")
  var budgets = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let settings = try policy.load()
    if let app { _ = try policy.app(app, in: settings) }
    if budgets {
      let store = try Installation.openStore(settings.gateway)
      let lines = try BudgetLine.read(settings, store, app: app)
      return json ? try Console.json(lines) : BudgetLine.show(lines)
    }
    let now = Clock.now()
    let start = try TimeArgument.read(since, now: now, option: "--since")
    let end = try until.map { try TimeArgument.read($0, now: now, option: "--until") }
    let store = try Installation.openStore(settings.gateway)
    let totals = try store.usageTotals(
      app: app, since: start, until: end ?? now.adding(milliseconds: 1))
    if json { return try Console.json(totals.map(Row.init)) }
    var everything = UsageTotals(app: "total", upstream: "", model: "")
    totals.forEach { everything.add($0) }
    Console.table(
      [
        "APP", "UPSTREAM", "MODEL", "CALLS", "REFUSED", "FAILED", "INPUT", "CACHED", "OUTPUT",
        "ESTIMATED", "HELD", "USD",
      ],
      (totals + [everything]).map(cells), rightAligned: Set(3...11))
    let lines = try BudgetLine.read(settings, store, app: app).filter { $0.isShared || $0.over > 0 }
    guard !lines.isEmpty else { return }
    Console.line("")
    BudgetLine.show(lines)
  }

  private func cells(_ totals: UsageTotals) -> [String] {
    let row = Row(totals)
    return [
      row.app, row.upstream, row.model, String(row.calls), String(row.refused),
      String(row.failed), String(row.inputTokens), String(row.cachedInputTokens),
      String(row.outputTokens),
      // What a crash left open is charged at its estimate too.
      String(row.callsEstimated + row.expired), Self.ratio(totals), row.chargeDollars,
    ]
  }

  /// What was held for what was charged: `12.3x`; with `!` where a call cost more than was held.
  private static func ratio(_ totals: UsageTotals) -> String {
    guard totals.heldCharge > .zero else { return "-" }
    let ratio = Double(totals.held.nanodollars) / Double(totals.heldCharge.nanodollars)
    return String(format: "%.1fx", ratio) + (totals.overruns > 0 ? "!" : "")
  }

  struct Row: Encodable {
    var app: String
    var upstream: String
    var model: String
    var calls: Int64
    var refused: Int64
    var failed: Int64
    var open: Int64
    var expired: Int64
    /// All input tokens, cached ones included.
    var inputTokens: Int64
    var cachedInputTokens: Int64
    var outputTokens: Int64
    var reasoningTokens: Int64
    var callsReported: Int64
    var callsEstimated: Int64
    var callsUnknown: Int64
    var chargeNanodollars: Int64
    var chargeEstimatedNanodollars: Int64
    var chargeDollars: String
    /// What was held for calls whose usage was reported, what they cost, and how many of them cost
    /// more than was held.
    var heldNanodollars: Int64
    var heldChargeNanodollars: Int64
    var overruns: Int64

    init(_ totals: UsageTotals) {
      app = totals.app
      upstream = totals.upstream
      model = totals.model
      calls = totals.calls
      refused = totals.refused
      failed = totals.failed
      open = totals.open
      expired = totals.expired
      let parts = [totals.reported.usage, totals.estimated.usage]
      inputTokens = parts.reduce(0) { $0 + $1.inputTotal }
      cachedInputTokens = parts.reduce(0) { $0 + $1.cacheRead }
      outputTokens = parts.reduce(0) { $0 + $1.outputTotal }
      reasoningTokens = parts.reduce(0) { $0 + $1.outputReasoning }
      callsReported = totals.reported.calls
      callsEstimated = totals.estimated.calls
      callsUnknown = totals.unknown.calls
      chargeNanodollars = totals.charge.nanodollars
      chargeEstimatedNanodollars = totals.estimated.charge.nanodollars
      chargeDollars = totals.charge.dollarsText
      heldNanodollars = totals.held.nanodollars
      heldChargeNanodollars = totals.heldCharge.nanodollars
      overruns = totals.overruns
    }
  }
}
