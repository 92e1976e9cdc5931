// ADWIN, to measure beside: cuts its window where the means of its two parts differ too much.
//
// Source: A. Bifet and R. Gavaldà, Learning from time-changing data with adaptive windowing, SDM
// 2007; cut threshold, five buckets a level, a check every 32 outputs and five outputs a part at
// least, as the river package has them.

import Foundation

/// The detector over one stream of zeros and ones, up to its first alarm.
struct Adwin {
  private static let bucketsMax = 5
  private static let checkEvery = 32
  private static let partMin = 5.0

  /// Sums of buckets of 2^level outputs, the newest first.
  private var levels: [[Double]] = []
  private var width = 0.0
  private var total = 0.0
  private var seen = 0

  /// Takes an output.
  /// - Returns: ln(1/δ) for the largest δ at which this output is no alarm; nil between checks.
  mutating func take(_ value: Bool) -> Double? {
    insert(value ? 1 : 0)
    width += 1
    total += value ? 1 : 0
    seen += 1
    return seen % Self.checkEvery == 0 && width > 10 ? severity() : nil
  }

  private mutating func insert(_ value: Double) {
    var carried = value
    for level in 0... {
      if level == levels.count { levels.append([]) }
      levels[level].insert(carried, at: 0)
      guard levels[level].count > Self.bucketsMax else { return }
      let oldest = levels[level].removeLast()
      carried = oldest + levels[level].removeLast()
    }
  }

  /// The cut holds where |Δ| > √(2m·σ²·d) + ⅔·m·d with d = ln(2·ln(W)/δ): solved for ln(1/δ).
  private func severity() -> Double {
    let variance = total / width * (1 - total / width)
    var most = -Double.infinity
    var old = (count: 0.0, sum: 0.0)
    for level in levels.indices.reversed() {
      let size = Double(1 << level)
      for sum in levels[level].reversed() {
        old = (old.count + size, old.sum + sum)
        let new = (count: width - old.count, sum: total - old.sum)
        guard old.count >= Self.partMin, new.count >= Self.partMin else { continue }
        let m = 1 / (old.count - Self.partMin + 1) + 1 / (new.count - Self.partMin + 1)
        let difference = abs(old.sum / old.count - new.sum / new.count)
        let a = 2.0 / 3 * m
        let b = (2 * m * variance).squareRoot()
        let root = ((b * b + 4 * a * difference).squareRoot() - b) / (2 * a)
        most = max(most, root * root)
      }
    }
    return most - log(2 * log(width))
  }
}
