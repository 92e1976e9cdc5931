// From an app's settings to what the analyzer and the outbox want.

import Alerting
import Analyzer
import Drift
import Foundation
import Store

extension AppSettings {
  /// The app's drift policy in the analyzer's words.
  /// - Parameter hasMail: whether a mail server is configured; without one no mail is addressed.
  func driftPolicy(hasMail: Bool) -> AppDriftPolicy {
    var thresholds = DriftThresholds()
    thresholds.shiftMin = drift.minimumShift.floor
    thresholds.shiftRelative = drift.minimumShift.relative
    thresholds.shiftMax = drift.minimumShift.ceiling
    thresholds.falseDiscoveryRate = drift.familyRate
    thresholds.coverageMin = drift.coverageMin
    thresholds.criticalLabels = drift.critical.values.flatMap(\.self).sorted()
    var policy = AppDriftPolicy(
      app: name, owner: owner.name, classifiers: classifiers,
      thresholds: thresholds, onDrift: drift.onDrift == .cap ? .cap : .alert,
      baseline: drift.baseline, filter: drift.filters,
      recipients: owner.recipients(hasMail: hasMail), sampleRate: samples.rate)
    policy.samplesErrors = samples.errorsAlways
    return policy
  }
}

extension OwnerSettings {
  /// Where the owner's alerts go: always the log, and mail and webhook where they are named.
  func recipients(hasMail: Bool) -> [Recipient] {
    Recipient.of(email: hasMail ? email : nil, webhook: webhook?.value)
  }
}
