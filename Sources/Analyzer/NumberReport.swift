// Numbers beside the labels: how long outputs are, how long they took. Shown, not judged: an app's
// verdict is that of its classifiers.

import Drift
import Foundation
import Labels
import Metering
import Store

/// What became of one number.
public struct NumberReport: Hashable, Sendable, Encodable {
  /// "Length", "Duration".
  public var name: String
  /// "characters", "ms".
  public var unit: String
  public var comparison: NumericComparison
}

/// About so many values of a side, taken evenly: a percentile of them is as good as a person
/// reads it, and a night stays cheap.
private let valuesMax = 2_000
/// Fewer say nothing of a 90th percentile.
private let valuesMin = 50

extension AppComparison {
  /// The period's numbers against those of the baseline's samples, where all are still stored and
  /// each side was sampled with one probability.
  func numbers(in store: StoreDatabase) throws(AnalyzerFault) -> [NumberReport] {
    let before = try baseline.span
    var reports: [NumberReport] = []
    do {
      // A part of a side would pass for all of it, and unequally sampled outputs for equal ones.
      let stored = try [before, period].map { Int64(try store.sampleCount(of: $0)) }
      let isWhole = stored == [baseline.sampleCount, periodOutputs]
      let isUniform = try [before, period].allSatisfy { try store.isUniform($0) }
      guard isWhole, isUniform else { return [] }
    } catch { throw .store("The samples of \(policy.app) could not be read", error) }
    for (place, number) in SampleNumber.allCases.enumerated() {
      let sides: [[Double]]
      do {
        sides = try [before, period].map {
          try store.numbers(number, of: $0, limit: valuesMax).map(Double.init)
        }
      } catch { throw .store("The samples of \(policy.app) could not be read", error) }
      guard sides.allSatisfy({ $0.count >= valuesMin }) else { continue }
      let seed = UInt64(hexDigest([policy.app, number.rawValue, baselineID]), radix: 16) ?? 0
      reports.append(
        NumberReport(
          name: number == .length ? "Length" : "Duration",
          unit: number == .length ? "characters" : "ms",
          comparison: compareNumbers(
            baseline: sides[0], period: sides[1], drawsMax: 999, resamples: 400,
            seed: seed &+ UInt64(place))))
    }
    return reports
  }
}

extension NumberReport {
  /// "p50", "p90", "p99".
  static func name(_ quantile: QuantileShift) -> String {
    "p\(Int((quantile.probability * 100).rounded()))"
  }

  func text(_ value: Double) -> String { Wording.count(Int64(value.rounded())) }

  /// "+120 (+80 to +160)".
  func change(_ quantile: QuantileShift) -> String {
    "\(signed(quantile.change)) (\(signed(quantile.interval.low)) to "
      + "\(signed(quantile.interval.high)))"
  }

  private func signed(_ value: Double) -> String {
    value.rounded() > 0 ? "+" + text(value) : text(value)
  }

  /// What all of its distribution did.
  var sentence: String {
    "\(name): \(text(comparison.wasserstein)) \(unit) apart on average; chance alone would part "
      + "them so far with p \(Wording.probability(comparison.andersonDarlingP))."
  }

  var rows: [(name: String, baseline: String, period: String, change: String)] {
    comparison.quantiles.map {
      (
        "\(name), \(Self.name($0)), \(unit)", text($0.baseline), text($0.period), change($0)
      )
    }
  }
}
