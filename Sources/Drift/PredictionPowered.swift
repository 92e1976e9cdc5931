// The share of a class from many outputs that a classifier labelled and a few that a person checked
// at random: as right as the person, and more precise than the few alone.
//
// Kind: estimate with interval (PPI++). Formula, U all outputs (where every output was as likely to
// be checked, those without a person's label will do) and L those with one, f the classifier's
// label as 0 or 1, Y the person's, weights 1/π on L:
//   θ̂ = λ·mean_U f + mean_L(Y − λf), λ = clip(Cov_L(Y, f)/((1 + n/N)·Var f), 0, 1),
//   se² = λ²·Var_U f/N + Σ_L w²(Y − λf − mean)²/(Σ_L w)².
// Below ten checked outputs of either kind the normal interval fails, and the person's labels alone
// decide by Wilson's interval, at the size of an equally picked sample that is as precise. So it is
// where outputs were picked unequally and some that were not all checked show fewer than five of
// either kind.
// Default threshold: 95 %.
// Source: A. N. Angelopoulos, J. C. Duchi and T. Zrnic, PPI++ (arXiv 2311.01453, 2023).

/// One output that a person labelled, for one class.
public struct CheckedOutput: Hashable, Sendable, Codable {
  /// Whether the person gave the class.
  public var isOfClass: Bool
  /// Whether the classifier did.
  public var isPredicted: Bool
  /// The probability at which it was picked for checking, in (0, 1].
  public var probability: Double

  public init(isOfClass: Bool, isPredicted: Bool, probability: Double = 1) {
    self.isOfClass = isOfClass
    self.isPredicted = isPredicted
    self.probability = probability
  }
}

/// An estimated share of one class, in [0, 1], with its interval.
public struct CheckedShare: Hashable, Sendable, Codable {
  public enum Method: String, Hashable, Sendable, Codable {
    case predictionPowered = "prediction-powered"
    /// The checked outputs alone.
    case wilson
  }

  public var share: Double
  /// se; of the checked outputs alone for `wilson`.
  public var standardError: Double
  public var interval: Interval
  /// λ: how far the classifier is trusted; 0 for `wilson`.
  public var trust: Double
  public var method: Method
}

/// The share of a class.
///
/// - Parameters:
///   - predicted: of `unchecked`, those to which the classifier gave the class.
///   - unchecked: all outputs, the checked among them. Those without a person's label may stand for
///     all only where every output was as likely to be checked: else they are no random sample.
///   - checked: a random sample; entries with a probability outside (0, 1] are left out.
///   - confidence: in (0, 1).
/// - Returns: nil where nothing was checked.
public func checkedShare(
  predicted: Int64, of unchecked: Int64, checked: [CheckedOutput], confidence: Double = 0.95
) -> CheckedShare? {
  let checked = checked.filter { $0.probability > 0 && $0.probability <= 1 }
  let weights = checked.map { 1 / $0.probability }
  let sum = weights.reduce(0, +)
  guard sum > 0 else { return nil }
  let z = Interval.jointZ(confidence: confidence, classes: 1)
  func mean(_ value: (CheckedOutput) -> Double) -> Double {
    zip(checked, weights).reduce(0) { $0 + $1.1 * value($1.0) } / sum
  }
  func variance(_ value: (CheckedOutput) -> Double, about centre: Double) -> Double {
    let squares = zip(checked, weights).reduce(0.0) { partial, row in
      let residual = row.1 * (value(row.0) - centre)
      return partial + residual * residual
    }
    return squares / (sum * sum)
  }
  let positives = checked.filter(\.isOfClass).count
  // Where some outputs were likelier to be checked, ten of either kind may all come of these: of
  // the others, which weigh more, too few are known for a variance.
  let strata = Dictionary(grouping: checked) {
    Stratum(isPredicted: $0.isPredicted, probability: $0.probability)
  }
  let isThin =
    Set(checked.map(\.probability)).count > 1
    && strata.contains { stratum, outputs in
      let positives = outputs.filter(\.isOfClass).count
      return stratum.probability < 1 && min(positives, outputs.count - positives) < 5
    }
  let labelled = mean { $0.isOfClass ? 1 : 0 }
  let n = Double(checked.count)
  let total = Double(max(unchecked, 0))
  guard min(positives, checked.count - positives) >= 10, !isThin, total > 0 else {
    let size = sum * sum / weights.reduce(0) { $0 + $1 * $1 }
    return CheckedShare(
      share: labelled,
      standardError: variance({ $0.isOfClass ? 1 : 0 }, about: labelled).squareRoot(),
      interval: .wilson(share: labelled, size: size, z: z), trust: 0, method: .wilson)
  }
  let hits = Double(min(max(predicted, 0), unchecked))
  let classified = mean { $0.isPredicted ? 1 : 0 }
  let both = mean { $0.isOfClass && $0.isPredicted ? 1 : 0 }
  let pooled = (hits + n * classified) / (total + n)
  let spread = pooled * (1 - pooled) * (total + n) / (total + n - 1)
  let trust =
    spread > 0
    ? min(max((both - labelled * classified) / ((1 + n / total) * spread), 0), 1) : 0
  func rest(_ output: CheckedOutput) -> Double {
    (output.isOfClass ? 1 : 0) - (output.isPredicted ? trust : 0)
  }
  let centre = mean(rest)
  let share = trust * hits / total + centre
  let unlabelled = trust * trust * (hits / total) * (1 - hits / total) / total
  let error = (unlabelled + variance(rest, about: centre)).squareRoot()
  return CheckedShare(
    share: min(max(share, 0), 1), standardError: error,
    interval: Interval(low: max(share - z * error, 0), high: min(share + z * error, 1)),
    trust: trust, method: .predictionPowered)
}

/// Outputs that were as likely to be checked as one another.
private struct Stratum: Hashable {
  var isPredicted: Bool
  var probability: Double
}
