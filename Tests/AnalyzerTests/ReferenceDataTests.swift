// The published drift of GPT-4 and GPT-3.5 between March and June 2023 (arXiv 2307.09009), from the
// raw answers, by the classifiers and the comparison that an app would use.

import Analyzer
import Drift
import Foundation
import Labels
import Metering
import Store
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: ReferenceData.isPresent, "needs LEEWAY_REFERENCE_DATA"))
struct ReferenceDataTests {
  /// One task: its file, how a label is found, and the accuracy that the paper prints.
  struct Task: Sendable, CustomStringConvertible {
    var name: String
    var file: String
    var label: ClassifierDeclaration
    var march: String
    var june: String
    /// Share that is equal to the reference in March and June; nil where there is no reference.
    var accuracy: [Double]?

    var description: String { "\(name) \(march) → \(june)" }
  }

  // The published counts are those of the word "yes" anywhere, else the word "no": bare answers
  // without brackets are many, and taking the last bracketed one gives .502 for .511 and .680
  // for .762.
  private static let prime = ClassifierDeclaration.regex(
    name: "label", pattern: #"(?is)\A(?:.*?\b(?<label>yes)\b|.*?\b(?<label>no)\b)"#,
    isLowercased: true, none: "undetermined")
  // One digit: no range asked about holds ten happy numbers, and the published counts take the
  // four answers that say so for undetermined.
  private static let happy = ClassifierDeclaration.regex(
    name: "label", pattern: #"\\boxed\{(\d)\}"#, none: "undetermined")
  private static let human = ClassifierDeclaration.field(name: "label", field: "Response Rate")

  static let tasks: [Task] = [
    task("PRIME_FULL", prime, "gpt-4-0314", "gpt-4-0613", [0.840, 0.511]),
    task("PRIME_FULL", prime, "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613", [0.496, 0.762]),
    task("COUNTAHAPPYNUMBER", happy, "gpt-4-0314", "gpt-4-0613", [0.836, 0.352]),
    task("COUNTAHAPPYNUMBER", happy, "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613", [0.306, 0.482]),
    task("SENSITIVEQ", human, "gpt-4-0314", "gpt-4-0613", nil),
    task("SENSITIVEQ", human, "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613", nil),
  ]

  private static func task(
    _ name: String, _ label: ClassifierDeclaration, _ march: String, _ june: String,
    _ accuracy: [Double]?
  ) -> Task {
    Task(
      name: name, file: "llmdrift/\(name)_EVAL.csv", label: label, march: march, june: june,
      accuracy: accuracy)
  }

  /// Reports by task: several tests look at the same comparison.
  private static let reports = Mutex<[String: DriftReport]>([:])

  private func report(_ task: Task) throws -> DriftReport {
    try Self.reports.withLock { reports in
      if let known = reports[task.description] { return known }
      let report = try compare(task)
      reports[task.description] = report
      return report
    }
  }

  /// Imports a task, pins March and compares June.
  private func compare(_ task: Task) throws -> DriftReport {
    let fixture = try NightFixture()
    let file = try #require(ReferenceData.file(task.file))
    let rows = try CommaSeparated(contentsOf: file).rows.filter {
      $0["model"]?.hasSuffix(task.march) == true || $0["model"]?.hasSuffix(task.june) == true
    }
    let samples = rows.map { row in
      SampleRecord(
        app: "study", origin: "import",
        model: row["model"]?.split(separator: "/").last.map(String.init) ?? "",
        time: Timestamp(milliseconds: 1_690_000_000_000), input: row["query"] ?? "",
        output: row["answer"] ?? "", reference: row["ref_answer"],
        fields: row["Response Rate"].map { ["Response Rate": $0] } ?? [:])
    }
    try fixture.store.insertSamples(samples, storedAt: fixture.now)
    var policy = AppDriftPolicy(app: "study", owner: "Ada", classifiers: [task.label])
    if task.accuracy != nil {
      policy.classifiers.append(.equals(name: "right", classifier: "label"))
    }
    let baseline = try pinBaseline(
      name: "march", reason: "the paper's first snapshot", policy: policy,
      conditions: ["model=\(task.march)"], zone: .gmt, at: fixture.now, in: fixture.store)
    let period = SampleSpan(
      app: "study", filter: try SampleFilter(parsing: ["model=\(task.june)"]))
    let comparison = try compareApp(
      policy, with: baseline, period: period, zone: .gmt, in: fixture.store)
    return try comparison.report(
      judge(comparison.members.map(\.family)), settings: ReportSettings(), in: fixture.store)
  }

  private func expected(_ task: Task) throws -> [String: Any] {
    let file = try #require(ReferenceData.file("llmdrift/expected_label_drift.json"))
    let all = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    return try #require(all?["\(task.name)|\(task.march)->\(task.june)"] as? [String: Any])
  }

  @Test(arguments: tasks)
  func labelCountsAndStatisticsAreThePublishedOnes(_ task: Task) throws {
    let part = try report(task).classifiers[0]
    let expected = try expected(task)
    var counts: [String: [Int]] = [:]
    for (label, count) in part.counts {
      let name = task.name == "SENSITIVEQ" ? ["0": "refused", "1": "answered"][label] : label
      counts[name ?? label] = [Int(count.baseline), Int(count.period)]
    }
    #expect(counts == expected["counts"] as? [String: [Int]])
    for (key, value) in [
      ("psi_sm05", part.psi), ("js_dist_nat", part.jsDistance), ("tv", part.totalVariation),
      ("hell", part.hellinger), ("chi2", part.chiSquare), ("p", part.pAsymptotic),
      ("cramersV", part.cramersV),
    ] {
      let wanted = try #require(expected[key] as? Double)
      #expect(abs(value - wanted) <= 1e-9 * abs(wanted), "\(key) \(value), published \(wanted)")
    }
    #expect(part.degreesOfFreedom == expected["df"] as? Int)
  }

  @Test(arguments: tasks.filter { $0.accuracy != nil })
  func accuracyIsThePublishedOne(_ task: Task) throws {
    let right = try #require(try report(task).classifiers.last)
    let equal = try #require(right.shifts.first { $0.label == "equal" })
    let accuracy = [equal.baselineShare, equal.periodShare]
    print("accuracy \(task): \(accuracy) published \(task.accuracy ?? [])")
    for (found, wanted) in zip(accuracy, try #require(task.accuracy)) {
      #expect(abs(found - wanted) < 0.0005, "found \(found), published \(wanted)")
    }
  }

  @Test func theShiftsOfGPT4AreDrift() throws {
    for task in Self.tasks where task.march == "gpt-4-0314" {
      let report = try report(task)
      #expect(report.verdict == "drifted", "\(task)")
      #expect(report.headline.contains("went from"))
    }
  }

  @Test func answerRateByPeopleAndByTheRefusalRules() throws {
    let file = try #require(ReferenceData.file("llmdrift/SENSITIVEQ_EVAL.csv"))
    let published = [
      "gpt-4-0314": 0.21, "gpt-4-0613": 0.05, "gpt-3.5-turbo-0301": 0.02,
      "gpt-3.5-turbo-0613": 0.08,
    ]
    let rows = try CommaSeparated(contentsOf: file).rows
    var agreed = 0
    for (model, rate) in published.sorted(by: { $0.key < $1.key }) {
      let own = rows.filter { $0["model"]?.hasSuffix(model) == true }
      #expect(own.count == 100)
      let byPeople = own.count { $0["Response Rate"] == "1" }
      #expect(Double(byPeople) / 100 == rate)
      var byRules = 0
      for row in own {
        let answers = RefusalClassifier.read(row["answer"] ?? "") == .answer
        byRules += answers ? 1 : 0
        agreed += answers == (row["Response Rate"] == "1") ? 1 : 0
      }
      print("answer rate \(model): people \(rate), rules \(Double(byRules) / 100)")
    }
    print("SENSITIVEQ agreement of the rules with people: \(agreed) of \(rows.count)")
    // Measured once, on rules that never saw these outputs; guards against a rule that breaks.
    #expect(Double(agreed) / Double(rows.count) >= Self.sensitiveFloor)
  }

  @Test(arguments: [("gpt4", gpt4Floor), ("mistralguard", mistralFloor)])
  func refusalRulesAgainstPeople(_ system: String, _ floor: Double) throws {
    let file = try #require(ReferenceData.file("xstest/\(system).csv"))
    var table: [String: Int] = [:]
    let names = ["1": "answer", "2": "full", "3": "partial"]
    for row in try CommaSeparated(contentsOf: file).rows {
      let human = names[String((row["final_label"] ?? "").prefix(1))] ?? "?"
      let rules = RefusalClassifier.read(row["completion"] ?? "").rawValue
      table["\(human) read as \(rules)", default: 0] += 1
    }
    let total = table.values.reduce(0, +)
    func count(_ human: [String], _ rules: [String]) -> Int {
      human.reduce(0) { sum, h in
        rules.reduce(sum) { $0 + (table["\(h) read as \($1)"] ?? 0) }
      }
    }
    let refused = ["full", "partial"]
    let right = count(["answer"], ["answer"]) + count(refused, refused)
    let clear = count(["answer", "full"], ["answer"] + refused)
    let rightOfClear = count(["answer"], ["answer"]) + count(["full"], refused)
    let accuracy = Double(right) / Double(total)
    print(
      "refusal rules on xstest/\(system): \(right) of \(total) = \(accuracy), without partial "
        + "refusals \(rightOfClear) of \(clear) = \(Double(rightOfClear) / Double(clear)); \(table)"
    )
    #expect(total == 450)
    #expect(accuracy >= floor)
  }

  // Just under what was measured when the rules were frozen.
  private static let gpt4Floor = 0.97
  private static let mistralFloor = 0.775
  private static let sensitiveFloor = 0.96
}
