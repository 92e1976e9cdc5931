// What the admin port sees: balances from the gateway, counts and verdicts from the store.

import Admin
import Analyzer
import Foundation
import Gateway
import Logging
import Metering
import NIOPosix
import Store
import Telemetry

/// Fulfils the admin port's protocol.
struct ProgramControl: Control {
  let gateway: GatewayService
  let settings: Settings
  let store: StoreDatabase
  let exposition: Exposition
  let journal: Journal
  let threads: NIOThreadPool
  let orders: OrderDesk

  var reportsDirectory: String { settings.gateway.reportsDirectory }

  func overview() async throws -> Overview {
    let snapshot = gateway.snapshot()
    let now = snapshot.at
    let dayStart = CivilDate(now, in: .gmt).start(in: .gmt)
    let (store, journal) = (store, journal)
    let (totals, verdicts, monitors, pending) = try await threads.runIfActive {
      (
        try store.usageTotals(since: dayStart, until: now.adding(milliseconds: 1)),
        try store.latestVerdicts(), try store.monitors(), try store.outboxCounts()
      )
    }
    let lines = snapshot.apps.map { state in
      line(
        state, totals: totals.filter { $0.app == state.app },
        verdicts: verdicts.filter { $0.app == state.app },
        monitors: monitors.filter { $0.app == state.app })
    }
    let health = [
      Overview.HealthLine(
        name: "Journal", value: snapshot.isJournalWritable ? "writable" : "cannot be written",
        isFine: snapshot.isJournalWritable),
      Overview.HealthLine(
        name: "Fold", value: "\(journal.unfoldedCount) events behind",
        isFine: journal.unfoldedCount < 100_000),
      Overview.HealthLine(
        name: "Alerts", value: "\(pending.pending) waiting, \(pending.abandoned) given up",
        isFine: pending.abandoned == 0),
    ]
    return Overview(
      version: LeewayVersion.text, atText: Moment.text(now), periodText: "today (UTC)",
      openCalls: snapshot.openCalls, apps: lines, shared: shared(snapshot), health: health)
  }

  func metrics() async -> String {
    let snapshot = gateway.snapshot()
    var readings = ScrapeReadings()
    readings.budgets = (snapshot.apps.flatMap(\.budgets) + snapshot.shared).flatMap { balance in
      balance.lines.map {
        BudgetReading(
          scope: balance.scope, budget: balance.budget, settled: $0.settled,
          reserved: $0.reserved, cap: $0.cap)
      }
    }
    readings.cappedApps = snapshot.apps.map { ($0.app, $0.cappedReason != nil) }
    readings.isolatedApps = snapshot.apps.map { ($0.app, $0.isolation != nil) }
    readings.foldLagEvents = Int64(journal.unfoldedCount)
    readings.isJournalWritable = snapshot.isJournalWritable
    let store = store
    let stored = try? await threads.runIfActive {
      (try store.outboxCounts(), try store.sampleBytes())
    }
    if let (outbox, bytes) = stored {
      readings.alertsPending = Int64(outbox.pending)
      readings.alertsAbandoned = Int64(outbox.abandoned)
      readings.samplesBytes = bytes
    }
    return exposition.text(readings)
  }

  func readiness() async -> [ReadinessProblem] {
    var problems: [ReadinessProblem] = []
    if gateway.port == 0 {
      problems.append(
        ReadinessProblem(code: "starting", message: "The gateway does not listen yet."))
    }
    if !journal.isWritable {
      problems.append(
        ReadinessProblem(
          code: "journal_unavailable",
          message: "The journal in \(settings.gateway.journalDirectory) cannot be written; "
            + "budgeted calls are refused until it can. Free space on that disk."))
    }
    let store = store
    do { _ = try await threads.runIfActive { try store.foldedThrough() } } catch {
      problems.append(
        ReadinessProblem(code: "store_unavailable", message: "The store cannot be read: \(error)"))
    }
    return problems
  }

  func place(_ order: AdminOrder) async throws -> Int64? {
    guard settings.app(order.app) != nil else { return nil }
    let (store, orders) = (store, orders)
    return try await threads.runIfActive {
      let sequence = try store.placeOrder(
        action: order.isIsolation ? .isolate(order.app) : .restore(order.app),
        actor: "admin \(order.actor)", reason: order.reason, at: Clock.now())
      try orders.applyNew()
      return sequence
    }
  }

  private func line(
    _ state: GatewaySnapshot.AppState, totals: [UsageTotals], verdicts: [VerdictRow],
    monitors: [MonitorRow]
  ) -> Overview.AppLine {
    var sum = UsageTotals(app: state.app, upstream: "", model: "")
    totals.forEach { sum.add($0) }
    let owner = settings.app(state.app)?.owner.name ?? ""
    return Overview.AppLine(
      name: state.app, owner: owner,
      state: Self.state(state),
      budgets: state.budgets.flatMap(Self.lines),
      spent: sum.charge, calls: sum.calls, errors: sum.failed, refusals: sum.refused,
      unknownUsage: sum.unknown.calls,
      verdict: alarmLine(monitors) ?? verdictLine(verdicts, monitors))
  }

  private static func state(_ app: GatewaySnapshot.AppState) -> Overview.State {
    if let isolation = app.isolation {
      return .isolated(
        reason: "\(isolation.reason) (\(isolation.actor), order \(isolation.order))")
    }
    return app.cappedReason.map { .capped(reason: $0) } ?? .running
  }

  /// Teams and the organisation, as far as they have budgets.
  private func shared(_ snapshot: GatewaySnapshot) -> [Overview.SharedLine] {
    settings.shared.compactMap { shared in
      let balances = snapshot.shared.filter { $0.scope == shared.scope }
      guard !balances.isEmpty else { return nil }
      return Overview.SharedLine(
        name: "\(shared.scope.kind.rawValue) \(shared.scope.name)", owner: shared.owner.name,
        budgets: balances.flatMap(Self.lines))
    }
  }

  private static func lines(_ balance: BudgetBalance) -> [Overview.BudgetLine] {
    let scope = balance.scope
    let part = scope.holder == scope ? "" : "\(scope.kind.rawValue) \(scope.name): "
    return balance.lines.map {
      Overview.BudgetLine(
        name: part + balance.budget, isPart: !part.isEmpty, settled: $0.settled,
        reserved: $0.reserved, cap: $0.cap, resetsAtText: balance.resetsAtText)
    }
  }

  /// An open alarm stands before every verdict, until somebody has acknowledged it.
  private func alarmLine(_ monitors: [MonitorRow]) -> Overview.VerdictLine? {
    guard let row = monitors.first(where: { $0.level == "drifted" }) else { return nil }
    return Overview.VerdictLine(
      word: row.level, tone: .bad,
      detail: "alarm of \(row.classifier) against \(row.baseline)"
        + (row.since.map { ", since about \($0.minuteText)" } ?? ""),
      atText: Moment.text(row.raisedAt ?? row.updatedAt), reportPath: nil)
  }

  /// The evidence nearest to its threshold: `evidence 2.1 of 8.3`.
  private func evidenceText(_ monitors: [MonitorRow]) -> String {
    let nearest = monitors.filter { $0.outputs > 0 }.max {
      $0.evidence - $0.threshold < $1.evidence - $1.threshold
    }
    return nearest.map {
      "; alarm: evidence \(String(format: "%.1f of %.1f", $0.evidence, $0.threshold))"
    } ?? ""
  }

  /// The gravest of an app's latest verdicts: one word must stand for all its classifiers.
  private func verdictLine(
    _ verdicts: [VerdictRow], _ monitors: [MonitorRow]
  ) -> Overview.VerdictLine? {
    let order = ["unreadable", "instrument-changed", "drifted", "watch", "no-power", "ok"]
    let newest = verdicts.map(\.periodEnd).max()
    let gravest = verdicts.filter { $0.periodEnd == newest }.min { left, right in
      (order.firstIndex(of: left.verdict) ?? 0) < (order.firstIndex(of: right.verdict) ?? 0)
    }
    guard let gravest else { return nil }
    let tone: Overview.Tone =
      switch gravest.verdict {
      case "ok": .good
      case "watch": .watch
      case "drifted": .bad
      default: .unclear
      }
    return Overview.VerdictLine(
      word: gravest.verdict, tone: tone,
      detail: "\(gravest.classifier) against \(gravest.baseline)" + evidenceText(monitors),
      atText: Moment.text(gravest.at), reportPath: gravest.report.isEmpty ? nil : gravest.report)
  }
}
