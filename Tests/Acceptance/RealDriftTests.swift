// Real drift: GPT-4 and GPT-3.5, March against June 2023, from the raw answers by commands alone.
//
// The published table (arXiv 2307.09009) and the statistics that scipy gives for the same counts.

import Foundation
import TestSupport
import Testing

@Suite struct RealDriftTests {
  private struct Task {
    var app: String
    var file: String
    var expected: String
    /// Models of March and June.
    var versions: (String, String)
    /// Accuracy or answer rate, as published.
    var published: (Double, Double)
  }

  private static let gpt4 = ("gpt-4-0314", "gpt-4-0613")
  private static let gpt35 = ("gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613")
  private static let tasks = [
    Task(
      app: "prime-gpt4", file: "PRIME_FULL_EVAL.csv", expected: "PRIME_FULL",
      versions: gpt4, published: (0.840, 0.511)),
    Task(
      app: "prime-gpt35", file: "PRIME_FULL_EVAL.csv", expected: "PRIME_FULL",
      versions: gpt35, published: (0.496, 0.762)),
    Task(
      app: "happy-gpt4", file: "COUNTAHAPPYNUMBER_EVAL.csv", expected: "COUNTAHAPPYNUMBER",
      versions: gpt4, published: (0.836, 0.352)),
    Task(
      app: "happy-gpt35", file: "COUNTAHAPPYNUMBER_EVAL.csv", expected: "COUNTAHAPPYNUMBER",
      versions: gpt35, published: (0.306, 0.482)),
    Task(
      app: "sensitive-gpt4", file: "SENSITIVEQ_EVAL.csv", expected: "SENSITIVEQ",
      versions: gpt4, published: (0.21, 0.05)),
    Task(
      app: "sensitive-gpt35", file: "SENSITIVEQ_EVAL.csv", expected: "SENSITIVEQ",
      versions: gpt35, published: (0.02, 0.08)),
  ]

  /// Classifier lists by the task's kind; the first is the one whose labels are compared.
  ///
  /// The published counts are those of the word "yes" anywhere in the answer, else "no": the last
  /// bracketed word alone gives .502 for .511 and .680 for .762, since many answers have no
  /// brackets. A boxed number of two digits counts as undetermined there.
  private static func policy(_ app: String) -> String {
    switch app.split(separator: "-").first {
    case "prime":
      """
      classifiers:
        - name: answer
          kind: regex
          pattern: '(?is)\\A(?:.*?\\b(?<label>yes)\\b|.*?\\b(?<label>no)\\b)'
          capture: 1
          lowercase: true
          none: undetermined
        - { name: accuracy, kind: equals, of: answer }
      """
    case "happy":
      """
      classifiers:
        - name: answer
          kind: regex
          pattern: '\\\\boxed\\{(\\d)\\}'
          capture: 1
          none: undetermined
        - { name: accuracy, kind: equals, of: answer }
      """
    default:
      """
      classifiers:
        - { name: human, kind: field, column: human }
        - { name: refusal, kind: refusal }
      """
    }
  }

  @Test(.enabled(if: ReferenceData.isPresent, Comment(rawValue: ReferenceData.skipReason)))
  func thePublishedTableComesOutOfTheRawAnswers() async throws {
    let installation = try TestInstallation(
      apps: Dictionary(uniqueKeysWithValues: Self.tasks.map { ($0.app, Self.policy($0.app)) }))
    let expectedFile = try #require(ReferenceData.file("llmdrift/expected_label_drift.json"))
    let expected = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: expectedFile))
        as? [String: [String: Any]])
    for task in Self.tasks {
      let report = try await compare(task, in: installation)
      let classifiers = try #require(report["classifiers"] as? [[String: Any]])
      let key = "\(task.expected)|\(task.versions.0)->\(task.versions.1)"
      try expectStatistics(
        try #require(classifiers.first), equal: try #require(expected[key]), of: task.app)
      try expectTable(classifiers, task)
      if task.versions == Self.gpt4 {
        #expect(classifiers[0]["verdict"] as? String == "drifted", "\(task.app)")
      }
    }
  }

  private func compare(
    _ task: Task, in installation: TestInstallation
  ) async throws -> [String: Any] {
    let file = try #require(ReferenceData.file("llmdrift/\(task.file)"))
    var mapping = ["--map", "output=answer", "--map", "model=model", "--map", "input=query"]
    mapping +=
      task.app.hasPrefix("sensitive")
      ? ["--map", "label.human=Response Rate"] : ["--map", "reference=ref_answer"]
    let imported = try await installation.start(
      ["samples", "import", file.path, "--app", task.app] + mapping
    ).wait(seconds: 300)
    try #require(imported.status == 0, "\(imported.errors)")
    try await installation.succeed(
      "baseline", "pin", task.app, "march", "--where", "model=\(task.versions.0)",
      "--reason", "March 2023")
    let text = try await installation.succeed(
      "drift", task.app, "--against", "march", "--where", "model=\(task.versions.1)", "--json")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func expectStatistics(
    _ seen: [String: Any], equal expected: [String: Any], of app: String
  ) throws {
    let counts = try #require(seen["counts"] as? [String: [String: Int]])
    let names = ["1": "answered", "0": "refused"]
    let isSensitive = app.hasPrefix("sensitive")
    let found = Dictionary(
      uniqueKeysWithValues: counts.map { label, sides in
        (
          isSensitive ? names[label] ?? label : label,
          [sides["baseline"] ?? -1, sides["period"] ?? -1]
        )
      })
    let wanted = try #require(expected["counts"] as? [String: [Int]])
    #expect(found.filter { $0.value != [0, 0] } == wanted, "\(app)")
    let pairs = [
      ("psi", "psi_sm05"), ("js_distance", "js_dist_nat"), ("total_variation", "tv"),
      ("chi_square", "chi2"), ("p_asymptotic", "p"),
    ]
    for (ours, theirs) in pairs {
      let value = try #require(seen[ours] as? Double, "\(app) \(ours)")
      let oracle = try #require(expected[theirs] as? Double)
      let difference = abs(value - oracle) / abs(oracle)
      #expect(difference < 1e-9, "\(app) \(ours): \(value), scipy has \(oracle)")
    }
    #expect(seen["degrees_of_freedom"] as? Int == expected["df"] as? Int)
    #expect(seen["p_method"] is String)
    #expect(seen["p_value"] is Double)
  }

  private func expectTable(_ classifiers: [[String: Any]], _ task: Task) throws {
    let isSensitive = task.app.hasPrefix("sensitive")
    let member = classifiers[isSensitive ? 0 : 1]
    let good = isSensitive ? "1" : "equal"
    let rates = try rates(of: good, in: member)
    #expect(abs(rates.0 - task.published.0) < 0.0005, "\(task.app): \(rates)")
    #expect(abs(rates.1 - task.published.1) < 0.0005, "\(task.app): \(rates)")
    var line = "\(task.app): \(rates.0) → \(rates.1), published \(task.published)"
    if isSensitive {
      let refusal = try self.rates(of: "answer", in: classifiers[1])
      line += "; by the refusal classifier \(refusal.0) → \(refusal.1)"
      // The built-in rules see nearly what the authors' label says: 6 answers of 100 at most.
      #expect(abs(refusal.0 - task.published.0) < 0.065, "\(line)")
      #expect(abs(refusal.1 - task.published.1) < 0.065, "\(line)")
    }
    print(line)
  }

  private func rates(of label: String, in member: [String: Any]) throws -> (Double, Double) {
    let counts = try #require(member["counts"] as? [String: [String: Int]])
    func share(_ side: String) -> Double {
      let total = counts.values.reduce(0) { $0 + ($1[side] ?? 0) }
      return Double(counts[label]?[side] ?? 0) / Double(max(total, 1))
    }
    return (share("baseline"), share("period"))
  }
}
