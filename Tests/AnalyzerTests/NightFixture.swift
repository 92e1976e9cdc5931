// A store, folders and an app to run nights on.

import Analyzer
import Drift
import Foundation
import Metering
import Store
import TestSupport
import Testing

/// An installation in memory and in a temporary folder.
struct NightFixture {
  let directory: TemporaryDirectory
  let store: StoreDatabase
  let baselines: BaselineFolder
  let reports: ReportFolder
  let zone: TimeZone

  /// The day that nights are run for: a real date, written out.
  // swift-format-ignore: NeverForceUnwrap
  static let night = CivilDate("2026-11-22")!

  init(zone: TimeZone = .gmt) throws {
    directory = try TemporaryDirectory()
    store = try StoreDatabase.inMemory()
    baselines = BaselineFolder(path: directory.path("baselines"))
    reports = ReportFolder(path: directory.path("reports"))
    self.zone = zone
  }

  var now: Timestamp { Self.night.adding(days: 1).at(hour: 4, minute: 0, in: zone) }

  func run(raise: NightRun.Raise? = nil) -> NightRun {
    var settings = NightRun.Settings(zone: zone, report: ReportSettings())
    settings.reportLink = "https://leeway.example/reports/"
    return NightRun(
      store: store, baselines: baselines, reports: reports, settings: settings, raise: raise)
  }

  /// Stores outputs of a day from its second hour on.
  func add(
    _ outputs: [String], app: String = "support", on date: CivilDate, probability: Double = 1
  ) throws {
    let start = date.start(in: zone)
    let spacing = min(20_000, 80_000_000 / Int64(max(outputs.count, 1)))
    let samples = outputs.enumerated().map { index, output in
      SampleRecord(
        app: app, origin: "import", model: "m-1",
        time: start.adding(milliseconds: Int64(index) * spacing + 3_600_000), input: "question",
        output: output, probability: probability)
    }
    try store.insertSamples(samples, storedAt: now)
  }

  /// `counts` outputs of each label, in the form that `policy`'s classifier reads.
  static func outputs(_ counts: [(label: String, count: Int)]) -> [String] {
    counts.flatMap { entry in
      (0..<entry.count).map { "Answer \($0): [\(entry.label)]" }
    }
  }

  static func policy(
    app: String = "support", onDrift: AppDriftPolicy.OnDrift = .alert,
    pattern: String = #"\[(.*)\]"#,
    baseline: String? = "good"
  ) -> AppDriftPolicy {
    AppDriftPolicy(
      app: app, owner: "Ada", classifiers: [.regex(name: "topic", pattern: pattern)],
      onDrift: onDrift, baseline: baseline)
  }

  /// Ten days of 100 outputs, 90 billing and 10 other, before the night; pinned as "good".
  func pinUsual(_ policy: AppDriftPolicy = policy()) throws {
    for day in 1...10 {
      let outputs = Self.outputs([("billing", 90), ("other", 10)])
      try add(outputs, app: policy.app, on: Self.night.adding(days: -day))
    }
    let baseline = try pinBaseline(
      name: "good", reason: "the first weeks, read by Ada", policy: policy, conditions: [],
      until: Self.night.start(in: zone), zone: zone, at: now, in: store)
    try baselines.save(baseline)
  }

  /// Every file of the night by name.
  func files() throws -> [String: Data] {
    let folder = directory.path("reports/\(Self.night)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return try names.reduce(into: [:]) { files, name in
      files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
  }
}

/// The one report of a night; a fault instead of it fails the test with its words.
func only(_ summary: NightRun.Summary) throws -> DriftReport {
  #expect(summary.faults.map { "\($0.app): \($0.fault)" } == [])
  #expect(summary.reports.count == 1)
  return try #require(summary.reports.first)
}
