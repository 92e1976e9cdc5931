// A report as a page: verdict first, then the picture, examples, figures.

import Foundation
import Markup
import Metering

/// Draws a report as one self-contained HTML file.
enum ReportPage {
  /// - Throws: `report`, only if a template of the program cannot be read.
  static func html(_ report: DriftReport) throws(AnalyzerFault) -> String {
    try render(PageTemplate.report, context(report))
  }

  /// What can be drawn of a night in one list.
  struct Night {
    struct Fault {
      var app: String
      var message: String
    }
    var date: CivilDate
    var reports: [DriftReport]
    var faults: [Fault]
  }

  static func index(_ night: Night) throws(AnalyzerFault) -> String {
    let apps = night.reports.map { report -> [String: Any] in
      [
        "app": report.app, "file": report.app + ".html", "verdict": report.verdict,
        "verdictWord": Wording.verdict(report.verdict), "headline": report.headline,
        "owner": report.owner,
      ]
    }
    let drifted = night.reports.filter { $0.verdict == "drifted" }.map(\.app)
    let unclear = night.reports.filter { !["ok", "watch", "drifted"].contains($0.verdict) }.count
    var summary = "\(Wording.count(Int64(night.reports.count), "app")) judged"
    summary += drifted.isEmpty ? ", none drifted" : ", drifted: \(drifted.joined(separator: ", "))"
    if unclear > 0 { summary += "; \(unclear) without a verdict" }
    if !night.faults.isEmpty { summary += "; \(night.faults.count) failed" }
    let isBad = !drifted.isEmpty || !night.faults.isEmpty
    let context: [String: Any] = [
      "night": night.date.description, "style": PageTemplate.style, "summary": summary + ".",
      "verdict": isBad ? "drifted" : unclear > 0 ? "no-power" : "ok",
      "apps": apps, "hasApps": !apps.isEmpty,
      "faults": night.faults.map { ["app": $0.app, "message": $0.message] },
      "hasFaults": !night.faults.isEmpty,
    ]
    return try render(PageTemplate.index, context)
  }

  private static func render(
    _ template: String, _ context: [String: Any]
  ) throws(AnalyzerFault) -> String {
    do { return try StrictHTML.template(template).render(context) } catch {
      throw AnalyzerFault(
        .report, "A report's template cannot be read", hint: "This is a fault of the program.",
        cause: error)
    }
  }

  private static func context(_ report: DriftReport) -> [String: Any] {
    var context: [String: Any] = [
      "app": report.app, "owner": report.owner, "verdict": report.verdict,
      "verdictWord": Wording.verdict(report.verdict), "headline": report.headline,
      "next": report.next.map(step), "style": PageTemplate.style,
      "periodText": periodText(report.period),
      "baselineText": baselineText(report.baseline),
      "classifiers": report.classifiers.map { classifier($0, in: report) },
      "hasNumbers": !report.numbers.isEmpty,
      "numberSentences": report.numbers.map(\.sentence),
      "numbers": report.numbers.flatMap(\.rows).map {
        ["name": $0.name, "baseline": $0.baseline, "period": $0.period, "change": $0.change]
      },
    ]
    if let night = report.night { context["night"] = night }
    return context
  }

  /// What stands between backticks is shown as code.
  private static func step(_ text: String) -> [String: Any] {
    let parts = text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
    return [
      "parts": parts.map { index, part -> [String: Any] in
        [index.isMultiple(of: 2) ? "text" : "code": String(part)]
      }
    ]
  }

  static func periodText(_ span: DriftReport.Span) -> String {
    Wording.count(span.outputs, "output") + edges(span)
      + (span.filter.isEmpty ? "" : " with \(span.filter.joined(separator: " "))")
  }

  static func baselineText(_ span: DriftReport.Span) -> String {
    let name = span.name.map { "the baseline “\($0)”" } ?? "the baseline"
    let reason = span.reason.map { " (“\($0)”)" } ?? ""
    let filter = span.filter.isEmpty ? "" : ", \(span.filter.joined(separator: " "))"
    return "\(Wording.count(span.outputs, "output")) of \(name)\(reason)\(filter)"
  }

  private static func edges(_ span: DriftReport.Span) -> String {
    guard let since = span.since, let until = span.until else { return "" }
    func short(_ text: String) -> String {
      text.replacing("T", with: " ").prefix(16) + " UTC"
    }
    return " from \(short(since)) to \(short(until))"
  }

  private static func classifier(
    _ part: ClassifierReport, in report: DriftReport
  ) -> [String: Any] {
    let isComparable = part.baselineOutputs > 0 && part.periodOutputs > 0
    let shown = part.shifts.filter { $0.baselineShare > 0 || $0.periodShare > 0 }
    var context: [String: Any] = [
      "name": part.name, "verdict": part.verdict, "verdictWord": Wording.verdict(part.verdict),
      "explanation": part.explanation, "hasFigures": isComparable,
      "figures": isComparable
        ? Figure.all(part, in: report).map(\.context) : [],
      "rows": part.shifts.map { row($0, counts: part.counts[$0.label]) },
      "footnote": footnote(part), "hasCauses": !part.causes.isEmpty,
      "causes": part.causes.map(cause), "hasExamples": !part.examples.isEmpty,
      "examples": part.examples.map { example($0, part) },
    ]
    if isComparable, !shown.isEmpty {
      context["chart"] = ShiftChart(shown, confidence: part.confidence).svg
    }
    if let evidence = part.evidence, !evidence.isEmpty {
      context["evidenceChart"] = EvidenceChart(evidence).svg
      context["evidenceText"] = evidenceText(evidence)
    }
    if isComparable, shown.count > ShiftChart.labelsMax {
      context["chartNote"] =
        "The \(ShiftChart.labelsMax) labels that moved most, of \(shown.count); all of them are "
        + "in the table below."
    }
    return context
  }

  /// What the picture of the alarm says, in a sentence.
  static func evidenceText(_ evidence: [ClassifierReport.Evidence]) -> String {
    let crossed = evidence.first { $0.evidence >= $0.threshold }
    let most = evidence.max { $0.evidence - $0.threshold < $1.evidence - $1.threshold }
    let figures =
      "\(Wording.number(most?.evidence ?? 0)) of \(Wording.number(most?.threshold ?? 0))"
    return crossed.map {
      "The continuous alarm's evidence passed its threshold in the hour of \($0.at.minuteText)."
    } ?? "The continuous alarm is quiet: its evidence came to \(figures) at most."
  }

  private static func cause(_ cause: DriftCause) -> [String: Any] {
    func share(_ value: Double?) -> String { value.map(Wording.percent) ?? "–" }
    return [
      "sentences": cause.sentences, "trait": cause.trait, "label": Wording.label(cause.label),
      "cohorts": cause.cohorts.map { cohort in
        [
          "name": DriftCause.name(cohort.name),
          "outputs":
            "\(Wording.percent(cohort.baselineShare)) → \(Wording.percent(cohort.periodShare))",
          "shares": "\(share(cohort.labelBaselineShare)) → \(share(cohort.labelPeriodShare))",
          "within": Wording.points(cohort.within), "mix": Wording.points(cohort.mix),
        ]
      },
    ]
  }

  private static func row(
    _ shift: ClassifierReport.Shift, counts: ClassifierReport.Count?
  ) -> [String: Any] {
    [
      "label": shift.label, "baseline": Wording.count(counts?.baseline ?? 0),
      "period": Wording.count(counts?.period ?? 0), "shift": Wording.points(shift.shift),
      "interval": "\(Wording.points(shift.low)) to \(Wording.points(shift.high))",
      "limit": "±" + Wording.size(shift.limit),
    ]
  }

  private static func example(
    _ example: ClassifierReport.Example, _ part: ClassifierReport
  ) -> [String: Any] {
    let shift = part.shifts.first { $0.label == example.label }
    let count = part.counts[example.label]?.baseline ?? 0
    return [
      "label": Wording.label(example.label),
      "movement": shift.map {
        "\(Wording.percent($0.baselineShare)) → \(Wording.percent($0.periodShare))"
      } ?? "",
      "baseline": example.baseline, "period": example.period,
      "noBaseline": count == 0 ? "None." : "No longer stored.",
    ]
  }

  private static func footnote(_ part: ClassifierReport) -> String {
    let version =
      part.version == part.baselineVersion
      ? "Classifier version \(part.version), the same on both sides."
      : "Classifier version \(part.version); the baseline was labelled by \(part.baselineVersion)."
    let merged =
      part.mergedLabels.isEmpty
      ? "" : " Counted together as rare: \(part.mergedLabels.joined(separator: ", "))."
    return "\(version) Coverage \(Wording.percent(part.coverage)). Seed \(part.seed).\(merged)"
  }
}

/// A row of the table of figures.
struct Figure {
  var name: String
  var found: String
  var expected: String
  var meaning: String

  var context: [String: Any] {
    ["name": name, "found": found, "expected": expected, "meaning": meaning]
  }

  static func all(_ part: ClassifierReport, in report: DriftReport) -> [Figure] {
    let outputs =
      "\(Wording.count(part.baselineOutputs)) and \(Wording.count(part.periodOutputs)) outputs"
    let wobble =
      part.wobbleFactor.map { Wording.number($0) }
      ?? "unknown (\(Wording.count(Int64(part.baselineBlocks), "day")))"
    return [
      Figure(
        name: "Outputs that changed label", found: Wording.percent(part.totalVariation),
        expected: Wording.percent(part.totalVariationExpected),
        meaning: "Total variation distance; \(outputs)."),
      Figure(
        name: "PSI", found: Wording.number(part.psi),
        expected: Wording.number(part.psiExpected),
        meaning: "Population stability index, \(Wording.number(part.psiSmoothing)) added to each "
          + "count."),
      Figure(
        name: "Jensen–Shannon distance", found: Wording.number(part.jsDistance),
        expected: Wording.number(part.jsDistanceExpected),
        meaning: "0 is the same, 0.833 nothing in common (natural logarithm)."),
      Figure(
        name: "Chi-square", found: Wording.number(part.chiSquare),
        expected: Wording.number(Double(part.degreesOfFreedom)),
        meaning: "\(Wording.count(Int64(part.degreesOfFreedom), "degree")) of freedom; asymptotic "
          + "p \(Wording.probability(part.pAsymptotic))."),
      Figure(
        name: "p-value", found: Wording.probability(part.pValue), expected: "any from 0 to 1",
        meaning: "How often chance alone would move the labels so far. Method: \(part.pMethod)."),
      Figure(
        name: "p-value, corrected", found: Wording.probability(part.pAdjusted),
        expected: "above \(Wording.number(report.falseDiscoveryRate))",
        meaning: "After Benjamini and Hochberg, over "
          + "\(Wording.count(Int64(report.familySize), "comparison")) judged together."),
      Figure(
        name: "Day-to-day wobble φ", found: wobble, expected: "1",
        meaning: "How much more the baseline's days differ than chance has them; widens the "
          + "intervals."),
      Figure(
        name: "Smallest shift that would show",
        found: part.detectableShift.map { Wording.size($0) + " points" } ?? "none",
        expected: "",
        meaning: "Of a label's share, in the label where it is smallest."),
    ]
  }
}
