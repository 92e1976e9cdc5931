// What persons' labels say: whether the classifier can be believed, and what the shares really are.

import Drift
import Foundation
import Metering
import Store

/// The findings of one round of review.
public struct ReviewFindings: Hashable, Sendable, Codable {
  /// One label.
  public struct Label: Hashable, Sendable, Codable {
    public var label: String
    /// The share of outputs that the classifier gave it, 0…1.
    public var predictedShare: Double
    /// The share by persons' labels and the classifier's together; nil where nothing was checked.
    public var share: CheckedShare?
    /// Of the checked outputs that the classifier gave it, how many; and how many persons did, too.
    public var checked: Int64
    public var right: Int64
    /// Wilson's interval of right/checked.
    public var precisionInterval: Interval
  }

  public var app: String
  public var classifier: String
  public var version: String
  public var round: Int64
  public var drawnAt: String
  /// Outputs that there were to draw from, that were drawn, labelled, and skipped.
  public var outputs: Int64
  public var drawn: Int
  public var labelled: Int
  public var skipped: Int
  /// Agreement of persons and classifier over all outputs, checked ones weighed by how rarely their
  /// like were checked; nil where nothing was labelled.
  public var health: ClassifierHealth?
  /// By label.
  public var labels: [Label]

  /// - Parameter confidence: of the intervals, in (0, 1).
  public init(_ round: ReviewRound, items: [ReviewItem], confidence: Double = 0.95) {
    app = round.app
    classifier = round.classifier
    version = round.version
    self.round = round.id ?? 0
    drawnAt = round.drawnAt.iso8601
    outputs = round.population.values.reduce(0, +)
    drawn = items.count
    let answered = items.compactMap { item -> (predicted: String, label: String)? in
      if case .label(let label) = item.answer { (item.predicted, label) } else { nil }
    }
    labelled = answered.count
    skipped = items.filter { $0.answer == .skipped }.count
    let names = Set(round.population.keys).union(answered.map(\.label)).sorted()
    var checked: [String: Int64] = [:]
    var right: [String: Int64] = [:]
    for answer in answered {
      checked[answer.predicted, default: 0] += 1
      if answer.label == answer.predicted { right[answer.predicted, default: 0] += 1 }
    }
    // What was labelled is a random part of what was drawn, which is one of the label's outputs.
    func probability(_ predicted: String) -> Double {
      let outputs = Double(round.population[predicted] ?? 0)
      return outputs > 0 ? min(1, Double(checked[predicted] ?? 0) / outputs) : 1
    }
    let z = Interval.jointZ(confidence: confidence, classes: 1)
    let total = max(outputs, 1)
    labels = names.map { name in
      let given = round.population[name] ?? 0
      let share = checkedShare(
        predicted: given, of: total,
        checked: answered.map {
          CheckedOutput(
            isOfClass: $0.label == name, isPredicted: $0.predicted == name,
            probability: probability($0.predicted))
        }, confidence: confidence)
      let count = checked[name] ?? 0
      let precision = count == 0 ? 0 : Double(right[name] ?? 0) / Double(count)
      return Label(
        label: name, predictedShare: Double(given) / Double(total), share: share, checked: count,
        right: right[name] ?? 0,
        precisionInterval: .wilson(share: precision, size: Double(count), z: z))
    }
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    var confusion = names.map { _ in [Double](repeating: 0, count: names.count) }
    var squares = 0.0
    for answer in answered {
      guard let truth = places[answer.label], let given = places[answer.predicted] else { continue }
      let weight = 1 / probability(answer.predicted)
      confusion[truth][given] += weight
      squares += weight * weight
    }
    let sum = confusion.reduce(0) { $0 + $1.reduce(0, +) }
    health = ClassifierHealth(
      weights: confusion, size: squares > 0 ? sum * sum / squares : 0, confidence: confidence)
  }

  /// Labels that no output was checked of although there were some: what is said of the shares then
  /// holds for the other outputs only.
  public var unchecked: [String] {
    labels.filter { $0.checked == 0 && $0.predictedShare > 0 }.map(\.label)
  }
}

/// The rounds of a classifier as they stand, the oldest first.
///
/// - Throws: `no_samples` where there is none, `store`.
public func reviewFindings(
  app: String, classifier: String, in store: StoreDatabase
) throws(AnalyzerFault) -> [ReviewFindings] {
  var findings: [ReviewFindings] = []
  do {
    for round in try store.reviews(app: app, classifier: classifier) {
      findings.append(ReviewFindings(round, items: try store.reviewItems(round: round.id ?? 0)))
    }
  } catch { throw .reviews(of: app, error) }
  guard !findings.isEmpty else {
    throw AnalyzerFault(
      .noSamples, "Nothing of \(app) was drawn yet to check '\(classifier)'",
      hint: "Draw some: 'leeway review draw \(app) \(classifier)'.")
  }
  return findings
}
