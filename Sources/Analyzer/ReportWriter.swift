// From judged comparisons to what a report says.

import Contracts
import Drift
import Foundation
import Metering
import Store

/// Why a period has no outputs, which decides whether that is a fault.
public enum Silence: Hashable, Sendable {
  /// There are outputs.
  case none
  /// No calls were made: nothing to judge.
  case noCalls
  /// Calls were made and none was sampled: something is broken.
  case notSampled(calls: Int64)
}

/// Settings of a report that are not the app's own.
public struct ReportSettings: Sendable {
  /// Takes secrets out of an example output. Samples are stored redacted; a report leaves the
  /// house, so it is done again.
  public var redact: @Sendable (String) -> String
  /// Whether a report shows outputs at all.
  public var showsExamples = true
  /// Outputs shown of each label and side.
  public var examplesPerLabel = 2
  /// Characters of an output that are shown.
  public var exampleCharacters = 360

  public init(
    redact: @escaping @Sendable (String) -> String = { text in
      Redactor(hidesPersonalData: true).redact(text).text
    }
  ) {
    self.redact = redact
  }
}

extension AppComparison {
  /// Verdict of a member after what Drift cannot know: whether there was anything to sample.
  func verdict(_ finding: Finding, _ silence: Silence) -> (verdict: Verdict, reason: String) {
    let hasBaseline = finding.comparison.baselineTotal > 0
    switch silence {
    case .noCalls where hasBaseline:
      return (.noPower, "The app made no calls in this period, so there is nothing to compare.")
    case .notSampled(let calls):
      return (
        .unreadable,
        "The app made \(Wording.count(calls, "call")) in this period and not one was sampled."
      )
    default:
      return (finding.verdict, explanation(finding))
    }
  }

  /// Drift's reason, in a reader's words where the reader needs the numbers.
  private func explanation(_ finding: Finding) -> String {
    let beyond = finding.comparison.rows.filter(\.isBeyondLimit)
      .max { abs($0.change) < abs($1.change) }
    guard finding.verdict == .drifted, let row = beyond else { return finding.reason }
    return "The share of \(Wording.label(row.label)) moved by \(Wording.points(row.change)) points "
      + "(between \(Wording.points(row.interval.low)) and \(Wording.points(row.interval.high)) "
      + "with chance taken into account), more than the \(Wording.size(row.shiftLimit)) that this "
      + "app tolerates."
  }

  /// The report of this app.
  ///
  /// - Parameters:
  ///   - findings: one for each member, in their order.
  ///   - night: the day reported on; nil for a comparison by hand.
  public func report(
    _ findings: [Finding], night: CivilDate? = nil, silence: Silence = .none,
    falseDiscoveryRate: Double = 0.05, settings: ReportSettings, in store: StoreDatabase
  ) throws(AnalyzerFault) -> DriftReport {
    var parts: [ClassifierReport] = []
    var worst: (verdict: Verdict, index: Int)?
    for (index, (member, finding)) in zip(members, findings).enumerated() {
      let (verdict, reason) = verdict(finding, silence)
      if worst.map({ verdict.severity > $0.verdict.severity }) ?? true { worst = (verdict, index) }
      var part = classifierReport(member, finding, verdict: verdict, reason: reason)
      let isShown = verdict == .drifted || verdict == .watch
      if isShown, let moved = part.shifts.first {
        part.causes = try causes(of: member, label: moved.label, in: store)
      }
      if settings.showsExamples, isShown {
        part.examples = try examples(of: part, settings: settings, in: store)
      }
      parts.append(part)
    }
    let verdict = worst?.verdict ?? .unreadable
    let main = worst.map { parts[$0.index] }
    return DriftReport(
      app: policy.app, owner: policy.owner, night: night?.description, verdict: verdict.rawValue,
      headline: headline(verdict, main), next: nextSteps(verdict, main), baseline: baselineSpan,
      period: periodSpan, familySize: findings.first?.familySize ?? members.count,
      falseDiscoveryRate: falseDiscoveryRate, classifiers: parts,
      numbers: try numbers(in: store))
  }

  private var baselineSpan: DriftReport.Span {
    DriftReport.Span(
      name: baseline.name, id: baselineID, reason: baseline.reason,
      pinnedAt: baseline.pinnedAt.iso8601, filter: baseline.filter,
      since: baseline.since.iso8601, until: baseline.until.iso8601,
      outputs: baseline.sampleCount, timeZone: baseline.timeZone)
  }

  private var periodSpan: DriftReport.Span {
    DriftReport.Span(
      filter: period.filter.terms.map(\.description), since: periodSince?.iso8601,
      until: periodUntil?.iso8601, outputs: periodOutputs, timeZone: zone.identifier)
  }

  private func classifierReport(
    _ member: Member, _ finding: Finding, verdict: Verdict, reason: String
  ) -> ClassifierReport {
    let comparison = finding.comparison
    let thresholds = member.family.thresholds
    let counts = comparison.rows.map {
      ($0.label, ClassifierReport.Count(baseline: $0.baselineCount, period: $0.periodCount))
    }
    let note =
      member.isRelabelled
      ? " The baseline's outputs were labelled again by the present classifier." : ""
    return ClassifierReport(
      name: member.classifier, version: member.version, baselineVersion: member.baselineVersion,
      verdict: verdict.rawValue, explanation: reason + note,
      baselineOutputs: comparison.baselineTotal, periodOutputs: comparison.periodTotal,
      coverage: finding.circumstances.coverage,
      counts: Dictionary(counts) { first, _ in first },
      shifts: shifts(comparison), confidence: thresholds.confidence, psi: comparison.psi,
      psiExpected: comparison.psiExpected, psiAdjusted: comparison.psiAdjusted,
      psiSmoothing: comparison.smoothing, jsDistance: comparison.jsDistance,
      // Locally PSI is 8 times the square of the distance.
      jsDistanceExpected: (comparison.psiExpected / 8).squareRoot(),
      totalVariation: comparison.totalVariation,
      totalVariationExpected: comparison.totalVariationExpected,
      totalVariationAdjusted: comparison.totalVariationAdjusted, hellinger: comparison.hellinger,
      cramersV: comparison.cramersV, chiSquare: comparison.chiSquare,
      degreesOfFreedom: comparison.degreesOfFreedom, pAsymptotic: comparison.p.asymptotic,
      logPAsymptotic: comparison.p.asymptoticLog.isFinite ? comparison.p.asymptoticLog : nil,
      pValue: comparison.p.value, pMethod: comparison.p.method.rawValue,
      pAdjusted: finding.discovery.pAdjusted,
      wobbleFactor: comparison.wobble == nil ? nil : comparison.wobbleFactor,
      wobble: comparison.wobble == nil ? "unknown" : "estimated", baselineBlocks: member.blocks,
      detectableShift: comparison.rows.compactMap(\.detectableShift).min(),
      seed: hexadecimal(member.seed), mergedLabels: comparison.mergedLabels, causes: [],
      examples: [])
  }

  private func shifts(_ comparison: Comparison) -> [ClassifierReport.Shift] {
    let rows = comparison.rows.map { row in
      ClassifierReport.Shift(
        label: row.label, baselineShare: row.baselineShare, periodShare: row.periodShare,
        shift: row.change, low: row.interval.low, high: row.interval.high, limit: row.shiftLimit,
        isBeyondLimit: row.isBeyondLimit)
    }
    // What decided the verdict comes first; equal rows keep the order of the comparison.
    return rows.enumerated().sorted { left, right in
      let (a, b) = (left.element, right.element)
      if a.isBeyondLimit != b.isBeyondLimit { return a.isBeyondLimit }
      return abs(a.shift) == abs(b.shift)
        ? left.offset < right.offset : abs(a.shift) > abs(b.shift)
    }.map(\.element)
  }

  private func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

// MARK: - Sentences

extension AppComparison {
  private func headline(_ verdict: Verdict, _ part: ClassifierReport?) -> String {
    guard let part else { return "\(policy.app) declares no classifier, so nothing was judged." }
    let against = "since the baseline “\(baseline.name)”"
    switch verdict {
    case .drifted:
      return "Drifted: \(movement(part)) \(against)."
    case .watch:
      return "Watch: \(movement(part)) \(against). That is real, but not surely more than this app "
        + "tolerates."
    case .ok:
      return "No drift: \(Wording.count(part.periodOutputs, "output")) look like the baseline "
        + "“\(baseline.name)”."
    case .noPower:
      return part.periodOutputs == 0
        ? "No verdict: the app made no calls."
        : "No verdict: nothing was found, but \(Wording.count(part.periodOutputs, "output")) "
          + "are too few to show a shift that would matter."
    case .unreadable:
      return "Unreadable: \(lowercasedStart(part.explanation))"
    case .instrumentChanged:
      return "Not comparable: the classifier “\(part.name)” changed after the baseline "
        + "“\(baseline.name)” was pinned, and the baseline's outputs are gone."
    }
  }

  /// "the share of outputs labelled “no” went from 36.1 % to 98.7 % (+62.6 points)".
  private func movement(_ part: ClassifierReport) -> String {
    let beyond = part.shifts.first { $0.isBeyondLimit }
    guard let row = beyond ?? part.shifts.first else { return "labels moved" }
    return "the share of outputs labelled \(Wording.label(row.label)) went from "
      + "\(Wording.percent(row.baselineShare)) to \(Wording.percent(row.periodShare)) "
      + "(\(Wording.points(row.shift)) points)"
  }

  private func lowercasedStart(_ sentence: String) -> String {
    sentence.prefix(1).lowercased() + sentence.dropFirst()
  }

  private func nextSteps(_ verdict: Verdict, _ part: ClassifierReport?) -> [String] {
    let app = policy.app
    switch verdict {
    case .drifted:
      var steps = [
        "Read the outputs below: is the new behaviour worse, or only different?",
        "Look for what changed in the period: the model's version, the prompt, the callers.",
      ]
      if policy.onDrift == .cap {
        steps.append(
          "The app is stopped by its policy. Once you know the cause, let it run again: "
            + "`leeway restore \(app)`.")
      }
      steps.append(
        "If the new behaviour is right, make it the measure: "
          + "`leeway baseline pin \(app) NAME --reason TEXT`.")
      return steps
    case .watch:
      return [
        "Nothing has to be done now. If it lasts, read the outputs below.",
        "If even this is too much, lower the shift that the app tolerates in "
          + "`thresholds/apps/\(app).yaml`.",
      ]
    case .ok: return ["Nothing has to be done."]
    case .noPower:
      return [
        "Raise the sample rate or compare a longer period: "
          + "`leeway drift \(app) --against \(baseline.name)`.",
        "Or accept it: this app is too quiet for a verdict a night.",
      ]
    case .unreadable:
      return [
        "Check that the gateway samples this app and that its outputs have the form that the "
          + "classifier “\(part?.name ?? "")” expects.",
        "Until then nobody would see a drift of this app.",
      ]
    case .instrumentChanged:
      return [
        "Pin a new baseline with the present classifier: "
          + "`leeway baseline pin \(app) NAME --reason TEXT`.",
        "Or take the classifier's change back.",
      ]
    }
  }
}

// MARK: - Examples

extension AppComparison {
  /// Outputs with the labels that moved most, before and after.
  private func examples(
    of part: ClassifierReport, settings: ReportSettings, in store: StoreDatabase
  ) throws(AnalyzerFault) -> [ClassifierReport.Example] {
    let moved = part.shifts.filter { $0.shift != 0 }.prefix(3).map(\.label)
    let before = try baseline.span
    var result: [ClassifierReport.Example] = []
    for label in moved {
      let example = ClassifierReport.Example(
        label: label,
        baseline: try outputs(
          of: before, label: label, by: (part.name, part.baselineVersion), settings, in: store),
        period: try outputs(
          of: period, label: label, by: (part.name, part.version), settings, in: store))
      if !example.baseline.isEmpty || !example.period.isEmpty { result.append(example) }
    }
    return result
  }

  private func outputs(
    of span: SampleSpan, label: String, by instrument: (name: String, version: String),
    _ settings: ReportSettings, in store: StoreDatabase
  ) throws(AnalyzerFault) -> [String] {
    do {
      return try store.samples(
        of: span, labelled: label,
        by: Instrument(classifier: instrument.name, version: instrument.version),
        limit: settings.examplesPerLabel
      ).map { shortened(settings.redact($0.output), settings) }
    } catch { throw storeFault("Example outputs of \(policy.app) could not be read", error) }
  }

  private func shortened(_ output: String, _ settings: ReportSettings) -> String {
    let text = output.trimmingCharacters(in: .whitespacesAndNewlines)
    if text.isEmpty { return "(no text)" }
    let limit = settings.exampleCharacters
    return text.count <= limit ? text : text.prefix(limit) + "…"
  }
}
