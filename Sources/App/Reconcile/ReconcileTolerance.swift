// How far two figures may lie apart and still be equal, in whole numbers.

import Metering

/// A share of the larger figure; none unless it is asked for.
struct ReconcileTolerance: Hashable, Sendable {
  /// In hundred-millionths.
  private var parts: Int64 = 0
  private static let whole: Int128 = 100_000_000

  static let none = ReconcileTolerance()

  private init() {}

  /// Reads `0.5%`, below 100 %; nil where it is something else, or finer than a millionth of 1 %.
  init?(_ text: String) {
    guard text.hasSuffix("%"), let number = ExactDecimal(text.dropLast()),
      let scaled = number.scaled(by: 6), scaled.isExact, scaled.value < 100_000_000
    else { return nil }
    parts = scaled.value
  }

  /// Whether two figures are equal within the share, or within a fixed slack.
  func takes(_ one: Int64, _ other: Int64, slack: Int64 = 0) -> Bool {
    let distance = (Int128(one) - Int128(other)).magnitude
    if distance <= UInt128(max(0, slack)) { return true }
    let larger = max(Int128(one).magnitude, Int128(other).magnitude)
    return distance * UInt128(Self.whole) <= larger * UInt128(parts)
  }
}
