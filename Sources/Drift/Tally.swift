// How often each label was given. A tally of an hour and a tally of the next merge into the tally
// of both, so that a night run costs what changed, not what exists.
//
// Counts are kept apart by sampling probability, as integers: sums are then the same in whatever
// order tallies are merged, and weights are formed only where they are needed.

/// Why a label could not be counted.
public struct TallyFault: Error, Equatable, CustomStringConvertible {
  /// The probability that was given.
  public var probability: Double

  public var description: String {
    "a sampling probability must be from 1e-9 to 1, not \(probability)"
  }
}

/// Counts per label, mergeable, with the probability at which each output was sampled.
public struct Tally: Hashable, Sendable {
  /// Label counts of outputs that were sampled with one probability.
  public struct Stratum: Hashable, Sendable, Codable {
    /// The probability at which these outputs were kept, in [1e-9, 1].
    public var probability: Double
    /// Label to count; a count of 0 marks a class that is known but was not seen.
    public var counts: [String: Int64]
  }

  private var countsByProbability: [Double: [String: Int64]] = [:]

  public init() {}

  /// A tally of outputs that were all kept. Counts below 0 are taken as 0.
  public init(_ counts: [String: Int64]) {
    for (label, count) in counts { add(label, count: count) }
  }

  /// Counts outputs that were certain to be kept. A count of 0 or less only makes the label known.
  public mutating func add(_ label: String, count: Int64 = 1) {
    addUnchecked(label, count: count, probability: 1)
  }

  /// Counts outputs that were kept with a probability.
  /// - Throws: `TallyFault` where the probability is not in [1e-9, 1]: the squared weight of a
  ///   smaller one would drown every other output.
  public mutating func add(
    _ label: String, count: Int64 = 1, probability: Double
  ) throws(TallyFault) {
    guard probability >= 1e-9, probability <= 1 else { throw TallyFault(probability: probability) }
    addUnchecked(label, count: count, probability: probability)
  }

  /// Adds every count of another tally.
  public mutating func merge(_ other: Tally) {
    for (probability, counts) in other.countsByProbability {
      for (label, count) in counts {
        addUnchecked(label, count: count, probability: probability)
      }
    }
  }

  /// The two together.
  public func merging(_ other: Tally) -> Tally {
    var sum = self
    sum.merge(other)
    return sum
  }

  /// The same tally with some labels counted under one other name.
  func renaming(_ labels: Set<String>, to name: String) -> Tally {
    var renamed = Tally()
    for (probability, counts) in countsByProbability {
      for (label, count) in counts {
        renamed.addUnchecked(
          labels.contains(label) ? name : label, count: count, probability: probability)
      }
    }
    return renamed
  }

  private mutating func addUnchecked(_ label: String, count: Int64, probability: Double) {
    let old = countsByProbability[probability]?[label] ?? 0
    countsByProbability[probability, default: [:]][label] = saturatingSum(old, max(count, 0))
  }
}

// MARK: - Reading

extension Tally {
  /// The counts apart by probability, the highest probability first.
  public var strata: [Stratum] {
    countsByProbability.keys.sorted(by: >).map { probability in
      Stratum(probability: probability, counts: countsByProbability[probability] ?? [:])
    }
  }

  /// Every known label: ordinary ones sorted, then the special ones in the order of their list.
  public var labels: [String] { Tally.ordered(Set(countsByProbability.values.flatMap(\.keys))) }

  /// How many outputs were counted under a label.
  public subscript(label: String) -> Int64 {
    countsByProbability.values.reduce(0) { saturatingSum($0, $1[label] ?? 0) }
  }

  /// How many outputs were counted.
  public var total: Int64 {
    countsByProbability.values.reduce(0) { sum, counts in
      counts.values.reduce(sum, saturatingSum)
    }
  }

  public var isEmpty: Bool { total == 0 }

  /// Whether outputs of one tally were kept with different probabilities. One probability for all
  /// makes a plain random sample, whose shares need no weights.
  public var isWeighted: Bool {
    var seen = 0
    for counts in countsByProbability.values where counts.values.contains(where: { $0 > 0 }) {
      seen += 1
    }
    return seen > 1
  }

  /// The least probability with which any output was kept; nil where there is none.
  var probabilityMin: Double? {
    countsByProbability.filter { $0.value.values.contains { $0 > 0 } }.keys.min()
  }

  /// Sum of 1/π over the outputs of each label: an estimate of how many there were before sampling.
  public func weights(of labels: [String]) -> [Double] { sums(of: labels) { 1 / $0 } }

  /// Sum of 1/π² over the outputs of each label.
  func squaredWeights(of labels: [String]) -> [Double] { sums(of: labels) { 1 / ($0 * $0) } }

  private func sums(of labels: [String], _ weight: (Double) -> Double) -> [Double] {
    let strata = self.strata
    return labels.map { label in
      strata.reduce(0.0) { $0 + Double($1.counts[label] ?? 0) * weight($1.probability) }
    }
  }

  static func ordered(_ labels: Set<String>) -> [String] {
    labels.filter { !SpecialLabel.isSpecial($0) }.sorted()
      + SpecialLabel.allCases.map(\.rawValue).filter(labels.contains)
  }
}

/// The sum of two counts, neither below 0; ends at `Int64.max`.
func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
  let (sum, hasOverflowed) = left.addingReportingOverflow(right)
  return hasOverflowed ? Int64.max : sum
}

// MARK: - Stored form: a list of strata

extension Tally: Codable {
  public init(from decoder: any Decoder) throws {
    self.init()
    for stratum in try [Stratum](from: decoder) {
      for (label, count) in stratum.counts {
        guard count >= 0 else {
          throw DecodingError.dataCorrupted(
            .init(codingPath: decoder.codingPath, debugDescription: "count of '\(label)' is < 0"))
        }
        try add(label, count: count, probability: stratum.probability)
      }
    }
  }

  public func encode(to encoder: any Encoder) throws { try strata.encode(to: encoder) }
}
