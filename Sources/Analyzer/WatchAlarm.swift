// What an alarm sets off: a verdict in the store, an alert to whoever answers for the app, the
// order to cap it where the policy says so. And how a person ends it.

import Alerting
import Drift
import Foundation
import Metering
import Store

/// An alarm's reading as it stands in its verdict.
private struct AlarmDetail: Encodable {
  /// What tells this verdict from a night's.
  var kind = "alarm"
  var since: String
  var reading: AlarmReading
  var tickOutputs = DriftWatch.tickOutputs
}

extension DriftWatch {
  func alarm(
    _ reading: AlarmReading, _ level: AlarmLevel, _ watched: WatchedClassifier, _ plan: WatchPlan,
    until end: Timestamp, unnamed: String?
  ) -> MonitorAlarm {
    let policy = plan.policy
    let since = Timestamp(milliseconds: reading.onset.startedAt)
    let verdict: Verdict = level == .drifted ? .drifted : .watch
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    // Every number of a reading is finite.
    let detail = try? encoder.encode(AlarmDetail(since: since.iso8601, reading: reading))
    let row = VerdictRow(
      at: plan.setting.now, app: policy.app, classifier: watched.classifier.name,
      baseline: plan.baseline.name, periodStart: since,
      periodEnd: max(end.adding(milliseconds: 1), since), verdict: verdict.rawValue,
      detailJSON: detail.map { String(decoding: $0, as: UTF8.self) } ?? "{}")
    let isCapped = level == .drifted && policy.onDrift == .cap
    var alarm = MonitorAlarm(verdict: row)
    if isCapped {
      // Callers are told this reason, so it names no label: that may be text of an output.
      alarm.capReason =
        "Drift since about \(since.minuteText): '\(watched.classifier.name)' against the baseline "
        + "'\(plan.baseline.name)'."
    }
    guard policy.alertsOn.contains(verdict) else { return alarm }
    let alert = alert(
      reading, verdict, watched, plan, isCapped: isCapped, unnamed: unnamed)
    alarm.alert = AlertRow(
      key: alert.key.text, app: alert.app, kind: alert.kind.rawValue,
      severity: alert.severity.rawValue, title: alert.title, body: alert.body,
      payloadJSON: alert.payloadJSON, at: plan.setting.now)
    alarm.deliveries = policy.recipients.map { ($0.channel, $0.address) }
    return alarm
  }

  private func alert(
    _ reading: AlarmReading, _ verdict: Verdict, _ watched: WatchedClassifier, _ plan: WatchPlan,
    isCapped: Bool, unnamed: String?
  ) -> Alert {
    let since = Timestamp(milliseconds: reading.onset.startedAt)
    var facts = DriftAlertFacts(
      app: plan.policy.app, classifier: watched.classifier.name, verdict: verdict.rawValue,
      baseline: plan.baseline.name, period: "",
      reason: "Seen in \(Wording.count(reading.outputs - reading.onset.outputsBefore, "output")).",
      shifts: reading.shifts.map { shift in
        DriftAlertFacts.Shift(
          label: Wording.label(shift.label) + example(shift.label, unnamed),
          baselineText: Wording.percent(shift.baselineShare),
          periodText: Wording.percent(shift.share),
          changeText: Wording.points(shift.share - shift.baselineShare) + " points, between "
            + "\(Wording.points(shift.interval.low)) and \(Wording.points(shift.interval.high))")
      },
      isCapped: isCapped, link: settings.link)
    facts.sinceText = since.minuteText
    var alert = Alert.drift(facts, atMilliseconds: plan.setting.now.milliseconds)
    // A sample is taken once and ids never come back: so is the alarm that it raised.
    alert.key = AlertKey(
      kind: .drift,
      [
        plan.policy.app, watched.classifier.name, "alarm", String(watched.row.position),
        verdict.rawValue,
      ])
    return alert
  }

  /// What a person would look for among the labels that are counted together.
  private func example(_ label: String, _ unnamed: String?) -> String {
    guard label == SpecialLabel.other.rawValue, let unnamed else { return "" }
    return ", such as " + Wording.label(unnamed)
  }

  /// Ends the open alarms of an app, so that the next shift is looked for.
  ///
  /// - Parameters:
  ///   - classifier: nil: of all classifiers.
  ///   - reason: what was found; kept with who acknowledged it.
  /// - Returns: what was acknowledged; nothing where no alarm was open.
  /// - Throws: `name` without a reason, `store`.
  public static func acknowledge(
    app: String, classifier: String? = nil, reason: String, actor: String, at now: Timestamp,
    in store: StoreDatabase
  ) throws(AnalyzerFault) -> [AcknowledgementRow] {
    guard reason.contains(where: { !$0.isWhitespace }) else {
      throw AnalyzerFault(
        .name, "An acknowledgement needs a reason",
        hint: "Say what was found, for those who come later: --reason TEXT.")
    }
    do {
      var done: [AcknowledgementRow] = []
      for row in try store.monitors(app: app)
      where classifier == nil || row.classifier == classifier {
        if let one = try acknowledge(row, reason: reason, actor: actor, at: now, in: store) {
          done.append(one)
        }
      }
      return done
    } catch let fault as StoreFault {
      throw storeFault("The alarms of \(app) could not be acknowledged", fault)
    } catch {
      throw AnalyzerFault(
        .store, "The alarms of \(app) could not be acknowledged", hint: "See the cause.",
        cause: error)
    }
  }

  /// Again where the watch stored the monitor meanwhile.
  private static func acknowledge(
    _ row: MonitorRow, reason: String, actor: String, at now: Timestamp, in store: StoreDatabase
  ) throws -> AcknowledgementRow? {
    var row = row
    while !row.level.isEmpty {
      let text = try store.monitorState(app: row.app, classifier: row.classifier)
      // A state that cannot be read is begun anew by the next pass, and says nothing till then.
      var monitor = text.flatMap { try? DriftMonitor(stored: $0) }
      monitor?.acknowledge()
      let acknowledged = AcknowledgementRow(
        at: now, actor: actor, app: row.app, classifier: row.classifier, level: row.level,
        reason: reason)
      row.state = try monitor?.stored() ?? text
      (row.level, row.raisedAt, row.since, row.evidence) = ("", nil, nil, 0)
      row.updatedAt = now
      if try store.saveMonitor(row, acknowledgement: acknowledged) { return acknowledged }
      let (app, classifier) = (row.app, row.classifier)
      guard let latest = try store.monitors(app: app).first(where: { $0.classifier == classifier })
      else { return nil }
      row = latest
    }
    return nil
  }
}
