// What a night's verdict costs: from stored tallies, from the labels themselves, and with days of
// history behind it.

import Analyzer
import ArgumentParser
import Drift
import Foundation
import Labels
import Metering
import Store

struct NightBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nights",
    abstract: "The night run: verdicts from tallies and from labels, and the cost of history.")

  @Option(help: "Outputs of the day that is judged.") var outputs = 1_000_000
  @Option(help: "Classifiers.") var classifiers = 10
  @Option(help: "Outputs a day where history is measured.") var daily = 10_000
  @Option(help: "Days of history, one measurement each.") var days: [Int] = [1, 10, 100]
  @Option(help: "Where to write.") var directory: String?

  func run() throws {
    if outputs > 0 {
      try withScratchDirectory(in: directory) { directory in
        let rig = try NightRig(directory: directory, classifiers: classifiers)
        try rig.fill(day: 0, outputs: outputs)
        try rig.pin(days: 1)
        try rig.fill(day: 1, outputs: outputs)
        // Labels are given all day long; here at once, and not on the bill.
        try rig.label(day: 1)
        let stored = try rig.measure { try rig.judge(day: 1) }
        report("verdicts from tallies", stored.seconds, "s")
        // Edges that no tally has.
        let raw = try rig.measure { try rig.judge(day: 1, shiftedMilliseconds: 1) }
        report("verdicts from labels", raw.seconds, "s")
        report("verdicts from labels", raw.processorSeconds, "s of processor")
      }
    }
    for count in days {
      try withScratchDirectory(in: directory) { directory in
        let rig = try NightRig(directory: directory, classifiers: classifiers)
        for day in 0..<count { try rig.fill(day: day, outputs: daily) }
        try rig.pin(days: count)
        try rig.fill(day: count, outputs: daily)
        let night = try rig.measure { try rig.night(of: count) }
        report(
          "night of \(daily) outputs after \(count) days", night.processorSeconds,
          "s of processor")
      }
    }
    report("memory", peakMegabytes(), "MB at most")
  }
}

/// An app, its store and its folders.
private struct NightRig {
  let store: StoreDatabase
  let baselines: BaselineFolder
  let reports: ReportFolder
  let policy: AppDriftPolicy
  private let start = Timestamp(milliseconds: 1_767_225_600_000)  // 2026-01-01, a midnight
  private static let dayMilliseconds: Int64 = 86_400_000

  init(directory: String, classifiers: Int) throws {
    store = try StoreDatabase.open(path: directory + "/leeway.sqlite")
    baselines = BaselineFolder(path: directory + "/baselines")
    reports = ReportFolder(path: directory + "/reports")
    policy = AppDriftPolicy(
      app: "bench", owner: "Ada",
      classifiers: (0..<classifiers).map {
        .pointer(name: "field-\($0)", path: "/\($0)")
      }, baseline: "good")
  }

  func midnight(_ day: Int) -> Timestamp {
    start.adding(milliseconds: Int64(day) * Self.dayMilliseconds)
  }

  /// Outputs spread over a day, a field for each classifier, one label in ten another.
  func fill(day: Int, outputs: Int) throws {
    let spacing = Double(Self.dayMilliseconds) / Double(outputs)
    for first in stride(from: 0, to: outputs, by: 5_000) {
      let samples = (first..<min(first + 5_000, outputs)).map { number in
        let fields = policy.classifiers.indices.map {
          "\"\((number + $0) % 10 == 0 ? "refused" : "given")\""
        }
        return SampleRecord(
          app: policy.app, origin: "import", model: "m",
          time: midnight(day).adding(milliseconds: Int64(Double(number) * spacing)),
          input: "", output: "[\(fields.joined(separator: ","))]")
      }
      try store.insertSamples(samples, storedAt: midnight(day))
    }
  }

  func pin(days: Int) throws {
    try baselines.save(
      try pinBaseline(
        name: "good", reason: "bench", policy: policy, conditions: [], until: midnight(days),
        zone: .gmt, at: midnight(days), in: store))
  }

  func label(day: Int) throws {
    _ = try Labelling(of: span(day), by: try policy.makeClassifiers(), in: store)
  }

  private func span(_ day: Int, shiftedMilliseconds shift: Int64 = 0) -> SampleSpan {
    SampleSpan(
      app: policy.app, since: midnight(day).adding(milliseconds: shift), until: midnight(day + 1))
  }

  func judge(day: Int, shiftedMilliseconds shift: Int64 = 0) throws {
    let comparison = try compareApp(
      policy, with: try baselines.load(app: policy.app, name: "good"),
      period: span(day, shiftedMilliseconds: shift), zone: .gmt, in: store)
    guard Drift.judge(comparison.members.map(\.family)).allSatisfy({ $0.verdict == .ok }) else {
      fatalError("outputs that do not drift were not found so")
    }
  }

  func night(of day: Int) throws {
    let run = NightRun(
      store: store, baselines: baselines, reports: reports,
      settings: NightRun.Settings(zone: .gmt, report: ReportSettings()))
    let date = CivilDate(midnight(day), in: .gmt)
    let summary = try run.run(date, policies: [policy], at: midnight(day + 1))
    guard summary.faults.isEmpty else { fatalError("\(summary.faults)") }
  }

  func measure(_ body: () throws -> Void) rethrows -> (seconds: Double, processorSeconds: Double) {
    let (start, before) = (now(), processorSeconds())
    try body()
    return (now() - start, processorSeconds() - before)
  }
}
