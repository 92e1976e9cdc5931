// A baseline: what an app's outputs were like when somebody said they were good. A file that is
// reviewed like code, since every later verdict is against it. Only a command writes one.

import Drift
import Foundation
import Labels
import Metering
import Store

/// A pinned baseline of an app: thresholds/baselines/APP/NAME.json.
public struct Baseline: Hashable, Sendable {
  /// One classifier's labels in the baseline.
  public struct Member: Hashable, Sendable {
    public var classifier: String
    /// The version of the classifier that gave these labels.
    public var version: String
    /// A tally a day, by date.
    public var days: [String: Tally]
    /// The same labels apart by traits of the calls; none in baselines of before.
    var cohorts: Cohorts = [:]

    public init(classifier: String, version: String, days: [String: Tally]) {
      self.classifier = classifier
      self.version = version
      self.days = days
    }

    /// All days together.
    public var total: Tally {
      days.keys.sorted().reduce(into: Tally()) { sum, day in
        if let tally = days[day] { sum.merge(tally) }
      }
    }

    /// The days' tallies in order of date.
    var blocks: [Tally] { days.sorted { $0.key < $1.key }.map(\.value) }
  }

  public var app: String
  public var name: String
  /// Why this period is the measure; written by whoever pinned it.
  public var reason: String
  public var pinnedAt: Timestamp
  /// The conditions of `--where` that chose the samples, as given.
  public var filter: [String]
  public var since: Timestamp
  public var until: Timestamp
  /// The time zone whose days are the blocks.
  public var timeZone: String
  public var sampleCount: Int64
  public var members: [Member]

  public init(
    app: String, name: String, reason: String, pinnedAt: Timestamp, filter: [String],
    since: Timestamp, until: Timestamp, timeZone: String, sampleCount: Int64, members: [Member]
  ) {
    self.app = app
    self.name = name
    self.reason = reason
    self.pinnedAt = pinnedAt
    self.filter = filter
    self.since = since
    self.until = until
    self.timeZone = timeZone
    self.sampleCount = sampleCount
    self.members = members
  }

  /// 16 hexadecimal digits over the whole content: two baselines with one id are the same.
  public var id: String {
    get throws(AnalyzerFault) {
      let bytes = try encoded()
      return hexDigest([String(decoding: bytes, as: UTF8.self)])
    }
  }

  /// The samples that it was made of.
  var span: SampleSpan {
    get throws(AnalyzerFault) {
      SampleSpan(app: app, filter: try parseFilter(filter), since: since, until: until)
    }
  }
}

// MARK: - The file's form

extension Baseline {
  /// What stands in the file. Names are for ever; a later form gets another `format`.
  private struct Form: Codable {
    struct Member: Codable {
      struct Stratum: Codable {
        var probability: Double
        var days: [String: [String: Int64]]
      }
      var name: String
      var version: String
      var counts: [String: Int64]
      var strata: [Stratum]
      /// Trait to value to counts; left out where there are none.
      var cohorts: [String: [String: Tally]]?
    }
    var format: Int
    var app: String
    var name: String
    var reason: String
    var pinnedAt: String
    var filter: [String]
    var since: String
    var until: String
    var timeZone: String
    var sampleCount: Int64
    var classifiers: [Member]
  }

  private static let format = 1

  /// The file's bytes: sorted keys, so that a review shows what changed and nothing else.
  public func encoded() throws(AnalyzerFault) -> Data {
    let form = Form(
      format: Self.format, app: app, name: name, reason: reason, pinnedAt: pinnedAt.iso8601,
      filter: filter, since: since.iso8601, until: until.iso8601, timeZone: timeZone,
      sampleCount: sampleCount, classifiers: members.map(Self.form))
    do { return try stableJSON(form) } catch {
      throw AnalyzerFault(
        .baselineUnreadable, "Baseline '\(name)' of \(app) cannot be written as JSON",
        hint: "This is a fault of the program.", cause: error)
    }
  }

  private static func form(_ member: Member) -> Form.Member {
    var strata: [Double: Form.Member.Stratum] = [:]
    for (day, tally) in member.days {
      for stratum in tally.strata {
        let known = strata[stratum.probability]
        var entry = known ?? .init(probability: stratum.probability, days: [:])
        entry.days[day] = stratum.counts
        strata[stratum.probability] = entry
      }
    }
    let total = member.total
    return Form.Member(
      name: member.classifier, version: member.version,
      counts: Dictionary(uniqueKeysWithValues: total.labels.map { ($0, total[$0]) }),
      strata: strata.values.sorted { $0.probability > $1.probability },
      cohorts: member.cohorts.isEmpty
        ? nil
        : Dictionary(
          uniqueKeysWithValues: member.cohorts.map { ($0.description, $1) }))
  }

  /// Reads a file's bytes.
  /// - Parameter path: named in errors.
  public init(decoding data: Data, path: String) throws(AnalyzerFault) {
    let form: Form
    do { form = try JSONDecoder().decode(Form.self, from: data) } catch {
      throw Self.unreadable(path, Self.explain(error), cause: nil)
    }
    guard form.format == Self.format else {
      throw Self.unreadable(path, "its format is \(form.format), this program reads 1", cause: nil)
    }
    guard let pinnedAt = Timestamp(iso8601: form.pinnedAt),
      let since = Timestamp(iso8601: form.since), let until = Timestamp(iso8601: form.until)
    else { throw Self.unreadable(path, "a time in it is not as 2026-11-23T16:00:00.000Z") }
    var members: [Member] = []
    for entry in form.classifiers { members.append(try Self.member(entry, path: path)) }
    self.init(
      app: form.app, name: form.name, reason: form.reason, pinnedAt: pinnedAt,
      filter: form.filter, since: since, until: until, timeZone: form.timeZone,
      sampleCount: form.sampleCount, members: members)
  }

  private static func member(
    _ entry: Form.Member, path: String
  ) throws(AnalyzerFault) -> Member {
    var days: [String: Tally] = [:]
    for stratum in entry.strata {
      for (day, counts) in stratum.days {
        guard CivilDate(day) != nil else {
          throw unreadable(path, "'\(day)' of classifier '\(entry.name)' is no date")
        }
        for (label, count) in counts {
          let problem =
            "classifier '\(entry.name)' has a count below 0 or a probability that is none"
          guard count >= 0 else { throw unreadable(path, problem) }
          do {
            try days[day, default: Tally()].add(
              label, count: count, probability: stratum.probability)
          } catch { throw unreadable(path, problem) }
        }
      }
    }
    var member = Member(classifier: entry.name, version: entry.version, days: days)
    let total = member.total
    for label in Set(total.labels).union(entry.counts.keys)
    where total[label] != entry.counts[label] ?? 0 {
      throw unreadable(
        path,
        "the count of '\(label)' of classifier '\(entry.name)' is not the sum of its days; "
          + "was it edited by hand?")
    }
    for (name, tallies) in entry.cohorts ?? [:] {
      guard let trait = SampleTrait(name) else {
        throw unreadable(path, "'\(name)' of classifier '\(entry.name)' is no trait of calls")
      }
      guard tallies.values.reduce(into: Tally(), { $0.merge($1) }).total == total.total else {
        throw unreadable(
          path,
          "the counts by \(name) of classifier '\(entry.name)' are not those of its days; was "
            + "it edited by hand?")
      }
      member.cohorts[trait] = tallies
    }
    return member
  }

  private static func unreadable(
    _ path: String, _ why: String, cause: (any Error)? = nil
  ) -> AnalyzerFault {
    AnalyzerFault(
      .baselineUnreadable, "The baseline \(path) cannot be read: \(why)",
      hint: "Restore it from version control, or pin it anew with 'leeway baseline pin'.",
      cause: cause)
  }

  private static func explain(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "it is not JSON" }
    func place(_ context: DecodingError.Context, _ key: String? = nil) -> String {
      let keys = context.codingPath.map(\.stringValue) + (key.map { [$0] } ?? [])
      return keys.isEmpty ? "the whole" : keys.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(place(context, key.stringValue)) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(place(context)) is not of the right type"
    default: return "it is not JSON"
    }
  }
}

// MARK: - The folder

/// The folder of baselines: one folder an app, one file a baseline.
public struct BaselineFolder: Hashable, Sendable {
  public let path: String

  /// - Parameter path: as in "thresholds/baselines".
  public init(path: String) { self.path = path }

  public func file(app: String, name: String) -> String { "\(path)/\(app)/\(name).json" }

  /// A name that is one file name on every system: letters, digits, '.', '_' and '-', at most 64.
  static func isFileName(_ name: String) -> Bool {
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122, 0x2E, 0x5F, 0x2D: true
      default: false
      }
    }
    return isPlain && (1...64).contains(name.utf8.count) && !name.hasPrefix(".")
      && !name.hasPrefix("-")
  }

  private func checkNames(_ names: String...) throws(AnalyzerFault) {
    for name in names where !Self.isFileName(name) {
      throw AnalyzerFault(
        .name, "'\(name)' cannot be the name of an app's or a baseline's file",
        hint: "Use 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit.")
    }
  }

  /// - Throws: `baseline_missing` with the names that there are, or `baseline_unreadable`.
  public func load(app: String, name: String) throws(AnalyzerFault) -> Baseline {
    try checkNames(app, name)
    let file = file(app: app, name: name)
    guard let data = FileManager.default.contents(atPath: file) else {
      let known = names(app: app)
      throw AnalyzerFault(
        .baselineMissing, "There is no baseline '\(name)' of \(app) (looked for \(file))",
        hint: known.isEmpty
          ? "Pin one with 'leeway baseline pin \(app) \(name) --reason TEXT'."
          : "Pinned baselines of \(app): \(known.joined(separator: ", ")).")
    }
    let baseline = try Baseline(decoding: data, path: file)
    guard baseline.app == app, baseline.name == name else {
      throw AnalyzerFault(
        .baselineUnreadable,
        "The baseline \(file) says it is '\(baseline.name)' of \(baseline.app)",
        hint: "A baseline cannot be renamed or moved by hand; pin it under its new name.")
    }
    return baseline
  }

  /// Names of an app's baselines, sorted.
  public func names(app: String) -> [String] { fileNames(in: "\(path)/\(app)") }

  /// Every baseline, by app and name. A file that cannot be read is an error, not left out.
  public func list(app: String? = nil) throws(AnalyzerFault) -> [Baseline] {
    let apps = app.map { [$0] } ?? folders()
    var result: [Baseline] = []
    for app in apps {
      for name in names(app: app) { result.append(try load(app: app, name: name)) }
    }
    return result
  }

  private func folders() -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return entries.filter(Self.isFileName).sorted()
  }

  /// Writes a baseline's file, whole or not at all.
  /// - Throws: `baseline_exists` unless `replaces`.
  public func save(_ baseline: Baseline, replaces: Bool = false) throws(AnalyzerFault) {
    try checkNames(baseline.app, baseline.name)
    let file = file(app: baseline.app, name: baseline.name)
    if !replaces, FileManager.default.fileExists(atPath: file) {
      throw AnalyzerFault(
        .baselineExists,
        "Baseline '\(baseline.name)' of \(baseline.app) is pinned already (\(file))",
        hint: "Choose another name; verdicts refer to this one.")
    }
    try writeWhole(try baseline.encoded(), to: file)
  }
}
