// Everything that `/metrics` says, put together at the moment of a scrape.
//
// Counters are read from their cells; states (balances, lag, backlog) are handed in as values, so
// that the ledger stays the one truth and no gauge can drift away from it.

import Metering

/// A budget's balance in its present window, in one unit. Never a user's: those are not known
/// beforehand, and nobody's name belongs into a label.
public struct BudgetReading: Hashable, Sendable {
  public var scope: BudgetScope
  public var budget: String
  public var settled: Amount
  public var reserved: Amount
  public var cap: Amount

  public init(
    scope: BudgetScope, budget: String, settled: Amount, reserved: Amount, cap: Amount
  ) {
    self.scope = scope
    self.budget = budget
    self.settled = settled
    self.reserved = reserved
    self.cap = cap
  }
}

/// States as they stand at a scrape; nil: not known in this process, so not written.
public struct ScrapeReadings: Sendable {
  public var budgets: [BudgetReading]
  /// By app name: is it stopped from outside.
  public var cappedApps: [(app: String, isCapped: Bool)]
  public var isolatedApps: [(app: String, isIsolated: Bool)] = []
  /// Journaled events that the store has not folded yet.
  public var foldLagEvents: Int64?
  /// Alerts raised and not yet delivered.
  public var alertsPending: Int64?
  /// Deliveries that were given up, ever.
  public var alertsAbandoned: Int64?
  /// Samples in the store, and their size.
  public var samplesStored: Int64?
  public var samplesBytes: Int64?
  public var isJournalWritable: Bool?

  public init(
    budgets: [BudgetReading] = [], cappedApps: [(app: String, isCapped: Bool)] = [],
    foldLagEvents: Int64? = nil, alertsPending: Int64? = nil, alertsAbandoned: Int64? = nil,
    samplesStored: Int64? = nil, samplesBytes: Int64? = nil, isJournalWritable: Bool? = nil
  ) {
    self.budgets = budgets
    self.cappedApps = cappedApps
    self.foldLagEvents = foldLagEvents
    self.alertsPending = alertsPending
    self.alertsAbandoned = alertsAbandoned
    self.samplesStored = samplesStored
    self.samplesBytes = samplesBytes
    self.isJournalWritable = isJournalWritable
  }
}

/// Joins the gateway's counters, what libraries emit, the states and the process's own figures.
public struct Exposition: Sendable {
  public var gateway: GatewayMetrics?
  public var libraries: PrometheusFactory?
  public var version: String

  public init(gateway: GatewayMetrics?, libraries: PrometheusFactory?, version: String) {
    self.gateway = gateway
    self.libraries = libraries
    self.version = version
  }

  /// The exposition as text; families in a fixed order.
  public func text(_ readings: ScrapeReadings) -> String {
    var text = PrometheusText()
    text.family("leeway_build_info", .gauge, "Always 1; the label says which version runs.")
    text.sample("leeway_build_info", [Label("version", version)], "1")
    gateway?.write(to: &text)
    write(readings, to: &text)
    ProcessReading.now()?.write(to: &text)
    libraries?.write(to: &text)
    return text.text
  }

  private func write(_ readings: ScrapeReadings, to text: inout PrometheusText) {
    writeBudgets(readings.budgets, to: &text)
    if !readings.cappedApps.isEmpty {
      text.family("leeway_app_capped", .gauge, "1 while the app is capped from outside.")
      for (app, isCapped) in readings.cappedApps {
        text.sample("leeway_app_capped", [Label("app", app)], isCapped ? "1" : "0")
      }
    }
    if !readings.isolatedApps.isEmpty {
      text.family(
        "leeway_app_isolated", .gauge, "1 while the app is stopped at once, open calls included.")
      for (app, isIsolated) in readings.isolatedApps {
        text.sample("leeway_app_isolated", [Label("app", app)], isIsolated ? "1" : "0")
      }
    }
    func state(_ name: String, _ help: String, _ value: Int64?) {
      guard let value else { return }
      text.single(name, .gauge, help, String(value))
    }
    state(
      "leeway_fold_lag_events", "Journaled events that the store has not folded yet.",
      readings.foldLagEvents)
    state(
      "leeway_alerts_pending", "Deliveries of alerts that are still to be made.",
      readings.alertsPending)
    state(
      "leeway_alerts_abandoned", "Deliveries of alerts that were given up.",
      readings.alertsAbandoned)
    state("leeway_samples_stored", "Samples in the store.", readings.samplesStored)
    state("leeway_samples_stored_bytes", "Size of the samples in the store.", readings.samplesBytes)
    state(
      "leeway_journal_writable", "1 while the journal can be written.",
      readings.isJournalWritable.map { $0 ? 1 : 0 })
  }

  private func writeBudgets(_ budgets: [BudgetReading], to text: inout PrometheusText) {
    for unit in BudgetUnit.allCases {
      let readings = budgets.filter { $0.cap.unit == unit }
      guard !readings.isEmpty else { continue }
      let suffix = unit == .money ? "dollars" : unit.name
      func write(_ name: String, _ help: String, _ amount: (BudgetReading) -> Amount) {
        let family = "leeway_budget_\(name)_\(suffix)"
        text.family(family, .gauge, help)
        for reading in readings {
          text.sample(
            family, reading.labels,
            PrometheusText.fixedPoint(amount(reading).count, decimals: unit == .money ? 9 : 0))
        }
      }
      write("settled", "Charged in the present window.", \.settled)
      write("reserved", "Held by open calls in the present window.", \.reserved)
      write("cap", "The cap per window.", \.cap)
    }
  }
}

extension BudgetReading {
  /// An app's own budgets carry its name alone, as they did before there were other scopes.
  fileprivate var labels: [Label] {
    let holder = scope.holder
    var labels = holder.kind == .app ? [Label("app", holder.text)] : []
    if scope.kind != .app { labels.append(Label("scope", scope.text)) }
    return labels + [Label("budget", budget)]
  }
}
