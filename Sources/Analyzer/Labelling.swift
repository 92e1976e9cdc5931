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

extension SampleRecord {
  /// In (0, 1]. A probability outside cannot be weighed; such a sample counts once.
  var soundProbability: Double { probability > 0 && probability <= 1 ? probability : 1 }
}

extension Classifier {
  var instrument: Instrument { Instrument(classifier: name, version: version) }
}

extension SampleSpan {
  /// Whether the stored tallies can speak for it: they know neither conditions nor parts of blocks.
  var isTallied: Bool {
    filter.terms.isEmpty && SampleBlock.isEdge(since) && SampleBlock.isEdge(until)
  }
}

/// The labels of a span, counted by classifier.
public struct Labelling: Sendable {
  /// Samples of the span; those that are gone but were counted are among them.
  public let outputs: Int64
  private let tallies: [Instrument: PeriodTally]

  /// How many samples are read at a time, and labelled in one transaction.
  private static let pageSamples = 500

  /// Gives and stores the labels that are missing, and counts.
  ///
  /// - Throws: `AnalyzerFault` with code `store`.
  public init(
    of span: SampleSpan, by classifiers: [any Classifier], in store: StoreDatabase
  ) throws(AnalyzerFault) {
    let instruments = classifiers.map(\.instrument)
    do {
      // First: what comes in meanwhile is not missing.
      outputs =
        span.isTallied
        ? try store.samplesEverStored(app: span.app, since: span.since, until: span.until)
        : Int64(try store.sampleCount(of: span))
      try Self.complete(span, by: classifiers, in: store)
      let rows =
        span.isTallied
        ? try store.tallies(
          app: span.app, by: instruments, since: span.since, until: span.until)
        : try store.countLabels(of: span, by: instruments)
      tallies = rows.mapValues(PeriodTally.init)
    } catch {
      throw .store("The outputs of \(span.app) could not be labelled", error)
    }
  }

  /// Gives and stores the labels of a span that are missing.
  static func complete(
    _ span: SampleSpan, by classifiers: [any Classifier], in store: StoreDatabase
  ) throws {
    let instruments = classifiers.map(\.instrument)
    let blocks = try store.blocksToLabel(
      app: span.app, by: instruments, since: span.since.map(SampleBlock.start),
      until: span.until.map(SampleBlock.end))
    for block in blocks {
      var part = span
      part.since = max(span.since ?? block.lowerBound, block.lowerBound)
      part.until = min(span.until ?? block.upperBound, block.upperBound)
      var last: SampleRecord?
      repeat {
        let page = try store.unlabelledSamples(
          of: part, by: instruments, after: last, limit: pageSamples)
        try label(page, by: classifiers, app: span.app, in: store)
        last = page.count == pageSamples ? page.last : nil
      } while last != nil
    }
  }

  private static func label(
    _ samples: [SampleRecord], by classifiers: [any Classifier], app: String,
    in store: StoreDatabase
  ) throws {
    let known = try store.instruments(
      classifiers.map(\.instrument), thatLabelled: samples.compactMap(\.id))
    var rows: [Instrument: [LabelRow]] = [:]
    for sample in samples {
      guard let id = sample.id else { continue }
      let view = SampleView(sample)
      for classifier in classifiers where known[id]?.contains(classifier.instrument) != true {
        rows[classifier.instrument, default: []].append(
          row(sample, id, label: classifier.label(view)))
      }
    }
    try store.recordLabels(app: app, rows)
  }

  /// Labels of samples that were read already, given and stored where they are missing.
  static func labels(
    of samples: [SampleRecord], by classifier: any Classifier, app: String,
    in store: StoreDatabase
  ) throws -> [Int64: String] {
    var labels = try store.labels(
      by: classifier.instrument, sampleIDs: samples.compactMap(\.id))
    var rows: [LabelRow] = []
    for sample in samples {
      guard let id = sample.id, labels[id] == nil else { continue }
      let label = classifier.label(SampleView(sample))
      rows.append(row(sample, id, label: label))
      labels[id] = label
    }
    try store.recordLabels(app: app, [classifier.instrument: rows])
    return labels
  }

  private static func row(_ sample: SampleRecord, _ id: Int64, label: String) -> LabelRow {
    LabelRow(
      sample: id, label: label, time: sample.time, probability: sample.soundProbability)
  }

  /// One classifier's labels as counts by block.
  public func tally(of classifier: any Classifier) -> PeriodTally {
    tallies[classifier.instrument] ?? PeriodTally([])
  }

  /// Share of the span's samples that have a label, 0…1; 1 of none.
  public func coverage(of classifier: any Classifier) -> Double {
    outputs == 0 ? 1 : min(1, Double(tally(of: classifier).total.total) / Double(outputs))
  }
}
