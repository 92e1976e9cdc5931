// Samples that somebody labelled, as examples to train on.

import Drift
import Foundation
import Labels
import Metering
import Store

/// The labelled samples of a span.
public struct LabelledSamples: Sendable {
  public let app: String
  public let column: String
  private let texts: [LabelledText]
  private let first: Timestamp
  private let last: Timestamp

  /// Reads the samples that have a label in the column and an output to go with it.
  ///
  /// - Throws: `no_samples`, `store`.
  public init(
    of span: SampleSpan, column: String, in store: StoreDatabase
  ) throws(AnalyzerFault) {
    var texts: [LabelledText] = []
    var times: [Timestamp] = []
    var columns: Set<String> = []
    do {
      try store.forEachSample(of: span) { sample in
        columns.formUnion(sample.fields.keys)
        let view = SampleView(sample)
        guard let label = sample.fields[column], !view.isFailed, !view.isEmpty else { return }
        let text = LabelledText(text: sample.output, label: label)
        // A blank cell is nobody's label.
        guard !SpecialLabel.isSpecial(text.label) else { return }
        texts.append(text)
        times.append(sample.time)
      }
    } catch {
      throw .store("The labelled samples of \(span.app) could not be read", error)
    }
    guard let first = times.first, let last = times.last else {
      throw AnalyzerFault(
        .noSamples, "App \(span.app) has no samples with a label in the column '\(column)'",
        hint: columns.isEmpty
          ? "Import some with 'leeway samples import FILE --app \(span.app) --map output=… "
            + "--map label.\(column)=…'."
          : "Label columns that its samples have: \(columns.sorted().joined(separator: ", ")).")
    }
    app = span.app
    self.column = column
    self.texts = texts
    self.first = first
    self.last = last
  }

  /// - Throws: `no_samples` where there are too few of them to train.
  public func trainer() throws(AnalyzerFault) -> TextTrainer {
    do { return try TextTrainer(texts) } catch {
      throw AnalyzerFault(
        .noSamples,
        "A classifier needs two labels with \(TextTrainer.examplesMin) samples each; "
          + "the column '\(column)' of "
          + "\(app) has \(error.kept.first.map { "one, '\($0)'" } ?? "none")",
        hint: "Label more samples.")
    }
  }

  /// - Parameter conditions: as given, for the record.
  public func provenance(conditions: [String]) -> TextModel.Provenance {
    TextModel.Provenance(
      app: app, column: column, filter: conditions, since: first.iso8601, until: last.iso8601)
  }
}

/// What classifiers make of samples, without a word of it being stored.
public struct LabelTrial: Sendable {
  public struct Row: Hashable, Sendable {
    public var classifier: String
    public var label: String
    public var count: Int
    /// The first output that got the label.
    public var example: String
  }

  public let sampleCount: Int
  /// By classifier in their order, the commonest label first.
  public let rows: [Row]

  /// - Throws: `store`.
  public init(
    of span: SampleSpan, by classifiers: [any Classifier], in store: StoreDatabase
  ) throws(AnalyzerFault) {
    var found: [String: [String: Row]] = [:]
    var count = 0
    do {
      try store.forEachSample(of: span) { sample in
        count += 1
        let view = SampleView(sample)
        for classifier in classifiers {
          let label = classifier.label(view)
          let known = found[classifier.name]?[label]
          var row =
            known
            ?? Row(classifier: classifier.name, label: label, count: 0, example: sample.output)
          row.count += 1
          found[classifier.name, default: [:]][label] = row
        }
      }
    } catch {
      throw .store("The samples of \(span.app) could not be read", error)
    }
    sampleCount = count
    rows = classifiers.flatMap { classifier in
      (found[classifier.name] ?? [:]).values.sorted { ($1.count, $0.label) < ($0.count, $1.label) }
    }
  }
}
