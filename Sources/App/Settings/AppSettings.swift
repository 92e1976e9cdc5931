// What thresholds/apps/APP.yaml says over thresholds/defaults.yaml: one app's owner and policy.

import Analyzer
import Foundation
import Metering

/// Who answers for an app and hears its alerts.
public struct OwnerSettings: Hashable, Sendable {
  public var name = ""
  public var email: String?
  /// An HTTP(S) URL. It may hold a secret of the receiver, so it is kept from printing.
  public var webhook: Secret?

  public init() {}
}

/// Which calls of an app are stored.
public struct SampleSettings: Hashable, Sendable {
  /// The share of calls, 0…1.
  public var rate = 1.0
  /// Whether a call that ends in an error is stored whatever the rate.
  public var errorsAlways = true

  public init() {}
}

/// One app.
public struct AppSettings: Sendable {
  public var name: String
  public var owner = OwnerSettings()
  /// Of the budgets' windows and of the app's reports.
  public var timeZone: TimeZone
  /// Upstreams for a bare `/v1/…` path, in order of choice.
  public var upstreams: [String] = []
  /// Hard caps by span; a span that is not here has no budget.
  public var caps: [BudgetSpan: Money] = [:]
  /// Models that the app may call; nil: all. An entry that ends in `*` matches by prefix.
  public var models: [String]?
  /// The output bound for requests that set none, in tokens.
  public var outputTokensMax: Int64?
  /// Ascending, percent of a cap.
  public var alertPercents = [50, 80, 100]
  public var samples = SampleSettings()
  /// Whether `leeway serve` shows a working command line with a key for this app.
  public var isSandbox = false
  public var classifiers: [ClassifierDeclaration] = []
  public var drift = DriftSettings()

  public init(name: String, timeZone: TimeZone) {
    self.name = name
    self.timeZone = timeZone
  }

  public var isBudgeted: Bool { !caps.isEmpty }

  /// What admission needs; the shortest span first, since it is the first to refuse.
  public func policy(_ timelines: WindowTimelines) -> AppPolicy {
    let budgets = BudgetSpan.allCases.compactMap { span in
      caps[span].map { cap in
        Budget(id: span.rawValue, cap: cap, windows: timelines.windows(of: span, in: timeZone))
      }
    }
    return AppPolicy(
      app: name, budgets: budgets, models: models, outputTokensDefault: outputTokensMax,
      alertPercents: alertPercents)
  }
}
