// What an app's policy says about drift, as plain values. Read from thresholds/ elsewhere.

import Alerting
import Drift
import Labels
import Store

/// One app's drift policy.
public struct AppDriftPolicy: Hashable, Sendable {
  /// What happens on the verdict "drifted".
  public enum OnDrift: String, Hashable, Sendable, Codable, CaseIterable {
    /// The owner is told.
    case alert
    /// The owner is told and the app is stopped until somebody restores it.
    case cap
  }

  public var app: String
  /// Who answers for it.
  public var owner: String
  public var classifiers: [ClassifierDeclaration]
  public var thresholds: DriftThresholds
  public var onDrift: OnDrift
  /// The baseline that nights are compared with; nil: the app has no night run.
  public var baseline: String?
  /// Conditions on the samples of a night, as for `--where`.
  public var filter: [String]
  public var recipients: [Recipient]
  /// Verdicts that alert the owner. Too few outputs is none of them by default: a quiet app would
  /// alert every night.
  public var alertsOn: Set<Verdict>
  /// The share of this app's calls that the gateway samples, 0…1: whether a night without samples
  /// is bad luck or a fault.
  public var sampleRate: Double

  public init(
    app: String, owner: String, classifiers: [ClassifierDeclaration],
    thresholds: DriftThresholds = DriftThresholds(), onDrift: OnDrift = .alert,
    baseline: String? = nil, filter: [String] = [],
    recipients: [Recipient] = [.log],
    alertsOn: Set<Verdict> = [.drifted, .unreadable, .instrumentChanged], sampleRate: Double = 1
  ) {
    self.app = app
    self.owner = owner
    self.classifiers = classifiers
    self.thresholds = thresholds
    self.onDrift = onDrift
    self.baseline = baseline
    self.filter = filter
    self.recipients = recipients
    self.alertsOn = alertsOn
    self.sampleRate = sampleRate
  }

  /// - Throws: `classifier`.
  public func makeClassifiers() throws(AnalyzerFault) -> [any Classifier] {
    do { return try Labels.makeClassifiers(classifiers) } catch {
      throw AnalyzerFault(
        .classifier, error.message, hint: "Correct the classifiers of the app's policy.")
    }
  }

  /// - Throws: `filter` where a condition cannot be read.
  func sampleFilter() throws(AnalyzerFault) -> SampleFilter { try parseFilter(filter) }
}

func parseFilter(_ texts: [String]) throws(AnalyzerFault) -> SampleFilter {
  do { return try SampleFilter(parsing: texts) } catch {
    throw AnalyzerFault(.filter, error.message, hint: error.hint)
  }
}

extension Verdict {
  /// Which of an app's several verdicts stands for the app. A drift that was found comes before
  /// what could not be read: it is certain, and it is what somebody must act on.
  var severity: Int {
    switch self {
    case .drifted: 5
    case .unreadable: 4
    case .instrumentChanged: 3
    case .watch: 2
    case .noPower: 1
    case .ok: 0
    }
  }
}
