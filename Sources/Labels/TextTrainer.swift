// Training: stochastic gradient descent on the logistic loss with steps of their own for every
// bucket and label (J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods, 2011). The order
// of the examples comes from a seed, so that the same examples give the same model.

import Drift
import Foundation

/// Makes models from labelled texts.
public struct TextTrainer: Sendable {
  /// Fewer than two labels have as many examples as are needed.
  public struct TooFewLabels: Error, Hashable, Sendable {
    /// The labels that have: one or none.
    public var kept: [String]
  }

  /// A label with fewer examples is left out: it could not be judged.
  public static let examplesMin = 8
  static let folds = 5
  private static let epochs = 12
  private static let rate: Float = 0.5
  private static let decay: Float = 1e-6

  /// An example ready for training.
  private struct Example {
    var text: String
    var features: [TextFeatures.Feature]
    var label: Int
  }

  /// Labels that had too few examples, sorted.
  public let leftOut: [String]
  private let labels: [String]
  private let examples: [Example]

  /// - Throws: `TooFewLabels`.
  public init(_ texts: [LabelledText]) throws(TooFewLabels) {
    let counts = texts.reduce(into: [String: Int]()) { $0[$1.label, default: 0] += 1 }
    let kept = counts.filter { $0.value >= Self.examplesMin }.keys.sorted()
    leftOut = counts.keys.filter { !kept.contains($0) }.sorted()
    guard kept.count >= 2 else { throw TooFewLabels(kept: kept) }
    labels = kept
    let numbers = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
    // Sorted, so that the model does not depend on the order in which examples were stored.
    let sorted = texts.sorted { ($0.label, $0.text) < ($1.label, $1.text) }
    examples = sorted.compactMap { text in
      numbers[text.label].map {
        Example(text: text.text, features: TextFeatures(of: text.text).features, label: $0)
      }
    }
  }

  /// Trains a model and measures it by cross-validation.
  ///
  /// - Parameter progress: called with the share done, 0…1.
  public func model(
    name: String, provenance: TextModel.Provenance, progress: (Double) -> Void = { _ in }
  ) -> TextModel {
    let parts = Double(Self.folds + 1)
    var scores = [[Double]](repeating: [], count: examples.count)
    let folds = foldOfExamples()
    for fold in 0..<Self.folds {
      let seen = examples.indices.filter { folds[$0] != fold }
      let weights = train(seen) { progress((Double(fold) + $0) / parts) }
      for index in examples.indices where folds[index] == fold {
        scores[index] = weights.scores(of: examples[index].features)
      }
    }
    let truth = examples.map(\.label)
    let temperature = Self.temperature(scores: scores, truth: truth)
    let probabilities = scores.map { row in softmax(row.map { $0 / temperature }) }
    let quality = TextModelQuality(
      labels: labels, folds: Self.folds, texts: Set(examples.map(\.text)).count, truth: truth,
      probabilities: probabilities)
    let final = train(Array(examples.indices)) { progress((Double(Self.folds) + $0) / parts) }
    return final.model(
      name: name, labels: labels, provenance: provenance, quality: quality,
      temperature: temperature)
  }

  /// Each label's texts are dealt out to the folds in turn, in random order. A text that is there
  /// several times is in one fold: a model must not be judged by what it has seen.
  private func foldOfExamples() -> [Int] {
    var random = Xoshiro256(seed: 0x1EE3_A1)
    var foldOfText: [String: Int] = [:]
    var next = 0
    for (_, indices) in Dictionary(grouping: examples.indices, by: { examples[$0].label })
      .sorted(by: { $0.key < $1.key })
    {
      for index in indices.shuffled(using: &random) where foldOfText[examples[index].text] == nil {
        foldOfText[examples[index].text] = next % Self.folds
        next += 1
      }
    }
    return examples.map { foldOfText[$0.text] ?? 0 }
  }

  private func train(_ indices: [Int], progress: (Double) -> Void) -> TrainedWeights {
    // What one example alone has says nothing about another.
    var counts: [UInt32: Int] = [:]
    for index in indices {
      for feature in examples[index].features { counts[feature.bucket, default: 0] += 1 }
    }
    let buckets = counts.filter { $0.value > 1 }.keys
    var weights = TrainedWeights(labels: labels.count, buckets: Set(buckets))
    let placed = indices.map { index in
      (features: weights.placed(examples[index].features), label: examples[index].label)
    }
    var random = Xoshiro256(seed: 0x1EE3_A2)
    var order = Array(placed.indices)
    for epoch in 0..<Self.epochs {
      order.shuffle(using: &random)
      for index in order {
        weights.step(
          placed[index].features, label: placed[index].label, rate: Self.rate, decay: Self.decay)
      }
      progress(Double(epoch + 1) / Double(Self.epochs))
    }
    return weights
  }

  /// The temperature with the least logarithmic loss, in 0.05…20, by golden section over its
  /// logarithm: the loss has one minimum in the inverse temperature.
  private static func temperature(scores: [[Double]], truth: [Int]) -> Double {
    func loss(_ logarithm: Double) -> Double {
      let temperature = exp(logarithm)
      return zip(scores, truth).reduce(0) { sum, example in
        let highest = example.0.max() ?? 0
        let total = example.0.reduce(0) { $0 + exp(($1 - highest) / temperature) }
        return sum + log(total) - (example.0[example.1] - highest) / temperature
      }
    }
    let ratio = (5.0.squareRoot() - 1) / 2
    var low = log(0.05)
    var high = log(20.0)
    var left = high - ratio * (high - low)
    var right = low + ratio * (high - low)
    var lossLeft = loss(left)
    var lossRight = loss(right)
    for _ in 0..<40 {
      if lossLeft <= lossRight {
        (high, right, lossRight) = (right, left, lossLeft)
        left = high - ratio * (high - low)
        lossLeft = loss(left)
      } else {
        (low, left, lossLeft) = (left, right, lossRight)
        right = low + ratio * (high - low)
        lossRight = loss(right)
      }
    }
    return exp((low + high) / 2)
  }
}
