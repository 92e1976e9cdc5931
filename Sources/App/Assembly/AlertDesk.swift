// From what the gateway noticed to alerts in the outbox, addressed to the app's owner.

import Alerting
import Analyzer
import Foundation
import Logging
import Metering
import Store
import Synchronization

/// Raises alerts. One that cannot be stored now (the database is locked) waits and is tried again.
final class AlertDesk: Sendable {
  private let store: StoreDatabase
  private let recipients: [String: [Recipient]]
  /// Where people reach the admin port; nil where it listens on a port that is not known yet.
  private let adminURL: String?
  private let wake: @Sendable () -> Void
  private let waiting = Mutex<[Alert]>([])
  private let logger: Logger

  /// - Parameters:
  ///   - recipients: by app, or by a shared scope's text.
  ///   - wake: called when an alert was stored, so that it is sent at once.
  init(
    store: StoreDatabase, recipients: [String: [Recipient]], adminURL: String?, logger: Logger,
    wake: @escaping @Sendable () -> Void
  ) {
    self.store = store
    self.recipients = recipients
    self.adminURL = adminURL
    self.logger = logger
    self.wake = wake
  }

  /// Turns budget marks into alerts. A mark that was raised before is dropped by its key.
  func raise(_ crossings: [BudgetCrossing], at now: Timestamp) {
    raise(crossings.map { Alert.budget(facts($0), atMilliseconds: now.milliseconds) })
  }

  /// Whoever answers for the scope hears of it: a team's owner of the team's budget.
  private func facts(_ crossing: BudgetCrossing) -> BudgetAlertFacts {
    let scope = crossing.account.scope
    var facts = BudgetAlertFacts(
      app: scope.holder.text, budget: crossing.account.budget,
      window: crossing.account.window, unit: crossing.cap.unit.name, percent: crossing.percent,
      isRefusing: crossing.isRefusing, spentText: Self.figure(crossing.settled),
      capText: Self.figure(crossing.cap), resetText: crossing.resetsAtText, link: adminURL)
    facts.scope = scope.text
    facts.isPassing = crossing.isPassing
    switch scope.kind {
    case .app: break
    case .team:
      facts.scopeText = "Team '\(scope.name)'"
      facts.placeText = "thresholds/teams/\(scope.name).yaml"
    case .organisation:
      facts.scopeText = "Organisation '\(scope.name)'"
      facts.placeText = "thresholds/organisation.yaml"
    case .environment, .key, .model, .user, .tag:
      let part = "\(scope.kind.rawValue) '\(scope.name)'"
      facts.scopeText = "\(part.prefix(1).uppercased())\(part.dropFirst()) of app '\(facts.app)'"
      facts.placeText = "\(part) of \(facts.placeText)"
    }
    return facts
  }

  private static func figure(_ amount: Amount) -> String {
    if case .money(let money) = amount { money.dollarsText } else { String(amount.count) }
  }

  /// Tells that an app's answers cannot be read: once a day (UTC), however often we start.
  func raiseUnreadable(coding: String, app: String, at now: Timestamp) {
    let day = CivilDate(now, in: .gmt)
    raise([
      Alert.system(
        name: "unreadable-coding", occasion: "\(coding) \(day)", app: app, severity: .warning,
        title: "\(app): answers in coding '\(coding)' cannot be read",
        body: [
          "The upstream of app '\(app)' codes its answers as '\(coding)' although the gateway asks"
            + " for none, and Leeway cannot read that or found it broken.",
          "Such calls are relayed as they come and charged at their estimate, marked estimated: the"
            + " app's spend is likely to be counted too high.",
          "Have the upstream honour `accept-encoding: identity`, or send gzip or deflate.",
        ].joined(separator: "\n"), atMilliseconds: now.milliseconds)
    ])
  }

  private func raise(_ alerts: [Alert]) {
    waiting.withLock { $0.append(contentsOf: alerts) }
    do { try storeWaiting() } catch {
      logger.warning("alerts wait for the store", metadata: ["cause": "\(error)"])
    }
  }

  /// Stores what waits, in order.
  func storeWaiting() throws {
    while let alert = waiting.withLock({ $0.first }) {
      let isNew = try store.enqueueAlert(
        AlertRow(
          key: alert.key.text, app: alert.app, kind: alert.kind.rawValue,
          severity: alert.severity.rawValue, title: alert.title, body: alert.body,
          payloadJSON: alert.payloadJSON, at: Timestamp(milliseconds: alert.atMilliseconds)),
        deliveries: (recipients[alert.app] ?? [.log]).map { ($0.channel, $0.address) })
      waiting.withLock { queue in
        if queue.first == alert { queue.removeFirst() }
      }
      if isNew { wake() }
    }
  }
}
