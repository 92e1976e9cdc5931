// How good a trained classifier is, from examples that it had not seen when it judged them.

import Foundation

/// Figures of a cross-validation.
public struct TextModelQuality: Hashable, Sendable, Codable {
  /// One label's figures.
  public struct Label: Hashable, Sendable, Codable {
    public var label: String
    /// Examples that people gave it.
    public var examples: Int
    /// Of the texts that the model gave it, the share that people did; nil of none.
    public var precision: Double?
    /// Of the texts that people gave it, the share that the model did.
    public var recall: Double

    public init(label: String, examples: Int, precision: Double?, recall: Double) {
      self.label = label
      self.examples = examples
      self.precision = precision
      self.recall = recall
    }
  }

  /// How many parts the examples were put in, each judged by a model of the others.
  public var folds: Int
  public var examples: Int
  /// How many of them differ.
  public var texts: Int
  /// The share of examples whose label was found, 0…1.
  public var accuracy: Double
  /// The share that the commonest label alone would find, 0…1.
  public var accuracyOfCommonest: Double
  /// The mean distance of stated probability and share found, in ten bands of probability, 0…1
  /// (expected calibration error; M. Naeini et al., 2015).
  public var calibrationError: Double
  public var labels: [Label]
}

/// A text and the label that somebody gave it.
public struct LabelledText: Hashable, Sendable {
  public let text: String
  /// One line, as labels are stored.
  public let label: String

  public init(text: String, label: String) {
    self.text = text
    self.label = tidyLabel(label)
  }
}

extension TextModelQuality {
  /// - Parameters:
  ///   - texts: how many examples differ.
  ///   - truth: the given label of each example, as a place in `labels`.
  ///   - probabilities: what was found for each.
  init(labels: [String], folds: Int, texts: Int, truth: [Int], probabilities: [[Double]]) {
    var given = [Int](repeating: 0, count: labels.count)
    var found = given
    var both = given
    var bands = [(count: Int, right: Int, probability: Double)](repeating: (0, 0, 0), count: 10)
    for (label, row) in zip(truth, probabilities) {
      var best = 0
      for index in row.indices where row[index] > row[best] { best = index }
      given[label] += 1
      found[best] += 1
      if best == label { both[label] += 1 }
      let band = min(9, Int(row[best] * 10))
      bands[band].count += 1
      bands[band].right += best == label ? 1 : 0
      bands[band].probability += row[best]
    }
    let count = Double(max(1, truth.count))
    self.folds = folds
    examples = truth.count
    self.texts = texts
    accuracy = Double(both.reduce(0, +)) / count
    accuracyOfCommonest = Double(given.max() ?? 0) / count
    calibrationError = bands.reduce(0) { $0 + abs(Double($1.right) - $1.probability) } / count
    self.labels = labels.indices.map { index in
      Label(
        label: labels[index], examples: given[index],
        precision: found[index] == 0 ? nil : Double(both[index]) / Double(found[index]),
        recall: given[index] == 0 ? 0 : Double(both[index]) / Double(given[index]))
    }
  }
}
