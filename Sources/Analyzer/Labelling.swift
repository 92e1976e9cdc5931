// Labels every sample once and stores the label under the classifier's version: a rerun reads what
// the first run stored, so a night costs what is new and the same samples get the same labels.

import Drift
import Foundation
import Labels
import Metering
import Store

extension SampleView {
  /// What a stored sample shows to classifiers.
  public init(_ sample: SampleRecord) {
    self.init(
      output: sample.output, input: sample.input, reference: sample.reference,
      fields: sample.fields, tools: sample.tools, status: sample.status,
      finishReason: sample.finishReason,
      latencyMilliseconds: sample.latencyMilliseconds)
  }
}

/// Which samples of an app, by condition and by time.
public struct SampleSpan: Hashable, Sendable {
  public var app: String
  public var filter: SampleFilter
  /// Included; nil from the first.
  public var since: Timestamp?
  /// Excluded; nil to the last.
  public var until: Timestamp?

  public init(
    app: String, filter: SampleFilter = .all, since: Timestamp? = nil, until: Timestamp? = nil
  ) {
    self.app = app
    self.filter = filter
    self.since = since
    self.until = until
  }
}

/// The labels of a span, by classifier.
public struct Labelling: Sendable {
  /// A sample without its text: a night must not hold a day's outputs in memory.
  public struct Mark: Hashable, Sendable {
    public var id: Int64
    public var time: Timestamp
    /// In (0, 1].
    public var probability: Double

    /// Nil where the sample is not stored yet.
    init?(_ sample: SampleRecord) {
      guard let id = sample.id else { return nil }
      self.id = id
      time = sample.time
      // A probability outside (0, 1] cannot be weighed; such a sample counts once, as all did.
      let isSound = sample.probability > 0 && sample.probability <= 1
      probability = isSound ? sample.probability : 1
    }
  }

  /// The span's samples in order of time, then id.
  public let marks: [Mark]
  /// Classifier name to sample to label.
  public let labels: [String: [Int64: String]]

  /// How many labels go into one transaction.
  private static let chunk = 5_000

  /// Reads the labels of a span, giving and storing those that are missing.
  ///
  /// - Throws: `AnalyzerFault` with code `store`.
  public init(
    of span: SampleSpan, by classifiers: [any Classifier], in store: StoreDatabase
  ) throws(AnalyzerFault) {
    do {
      marks = try Self.marks(of: span, in: store)
      let ids = marks.map(\.id)
      var labels: [String: [Int64: String]] = [:]
      var missing: [(classifier: any Classifier, ids: Set<Int64>)] = []
      for classifier in classifiers {
        let known = try store.labels(
          classifier: classifier.name, version: classifier.version, sampleIDs: ids)
        labels[classifier.name] = known
        let rest = Set(ids.filter { known[$0] == nil })
        if !rest.isEmpty { missing.append((classifier, rest)) }
      }
      if !missing.isEmpty {
        let given = try Self.classify(span, missing, in: store)
        try Self.keep(given, marks: marks, classifiers: classifiers, app: span.app, in: store)
        for (name, new) in given { labels[name, default: [:]].merge(new) { first, _ in first } }
      }
      self.labels = labels
    } catch {
      throw .store("The outputs of \(span.app) could not be labelled", error)
    }
  }

  /// Labels of samples that were read already, given and stored where they are missing.
  static func labels(
    of samples: [SampleRecord], by classifier: any Classifier, app: String,
    in store: StoreDatabase
  ) throws -> [Int64: String] {
    let marks = samples.compactMap(Mark.init)
    var labels = try store.labels(
      classifier: classifier.name, version: classifier.version, sampleIDs: marks.map(\.id))
    var given: [Int64: String] = [:]
    for sample in samples {
      guard let id = sample.id, labels[id] == nil else { continue }
      given[id] = classifier.label(SampleView(sample))
    }
    if !given.isEmpty {
      try keep(
        [classifier.name: given], marks: marks, classifiers: [classifier], app: app, in: store)
      labels.merge(given) { first, _ in first }
    }
    return labels
  }

  private static func marks(of span: SampleSpan, in store: StoreDatabase) throws -> [Mark] {
    var marks: [Mark] = []
    try store.forEachSample(
      app: span.app, filter: span.filter, since: span.since, until: span.until
    ) { sample in
      if let mark = Mark(sample) { marks.append(mark) }
    }
    return marks
  }

  /// Labels in one pass over the texts, outside any transaction of ours.
  private static func classify(
    _ span: SampleSpan, _ missing: [(classifier: any Classifier, ids: Set<Int64>)],
    in store: StoreDatabase
  ) throws -> [String: [Int64: String]] {
    var given: [String: [Int64: String]] = [:]
    try store.forEachSample(
      app: span.app, filter: span.filter, since: span.since, until: span.until
    ) { sample in
      guard let id = sample.id else { return }
      let view = SampleView(sample)
      for (classifier, ids) in missing where ids.contains(id) {
        given[classifier.name, default: [:]][id] = classifier.label(view)
      }
    }
    return given
  }

  private static func keep(
    _ given: [String: [Int64: String]], marks: [Mark], classifiers: [any Classifier],
    app: String, in store: StoreDatabase
  ) throws {
    for classifier in classifiers {
      guard let labels = given[classifier.name] else { continue }
      let rows = marks.compactMap { mark -> LabelRow? in
        guard let label = labels[mark.id] else { return nil }
        let hour = PeriodTally.hour(of: mark.time) * PeriodTally.hourMilliseconds
        return LabelRow(
          sample: mark.id, label: label, hour: Timestamp(milliseconds: hour),
          weight: 1 / mark.probability)
      }
      for start in stride(from: 0, to: rows.count, by: chunk) {
        try store.recordLabels(
          app: app, classifier: classifier.name, version: classifier.version,
          rows: Array(rows[start..<min(start + chunk, rows.count)]))
      }
    }
  }

  /// One classifier's labels as counts by hour.
  public func tally(of classifier: String) -> PeriodTally {
    var tally = PeriodTally()
    guard let labels = labels[classifier] else { return tally }
    for mark in marks {
      guard let label = labels[mark.id] else { continue }
      // The probability was made sound when the mark was read.
      try? tally.add(label, at: mark.time, probability: mark.probability)
    }
    return tally
  }

  /// Share of the span's samples that have a label, 0…1; 1 of none.
  public func coverage(of classifier: String) -> Double {
    marks.isEmpty ? 1 : Double(labels[classifier]?.count ?? 0) / Double(marks.count)
  }

  /// The first samples, in time, that have a label.
  func samples(labelled label: String, by classifier: String, limit: Int) -> [Int64] {
    guard let labels = labels[classifier] else { return [] }
    return Array(marks.lazy.filter { labels[$0.id] == label }.prefix(limit).map(\.id))
  }
}
