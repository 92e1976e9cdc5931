// An amount of money as a whole number of nanodollars.
//
// One unit for every sum in the product: no floating point, no per-provider currency scale,
// so that two ways of adding the same charges cannot differ.

/// A signed amount in nanodollars (10⁻⁹ US dollars). Range ±9.2 billion dollars.
public struct Money: Hashable, Comparable, Sendable, Codable {
  /// Nanodollars, 10⁻⁹ US dollars.
  public var nanodollars: Int64

  public init(nanodollars: Int64) { self.nanodollars = nanodollars }

  public static let zero = Money(nanodollars: 0)

  public static func < (left: Money, right: Money) -> Bool {
    left.nanodollars < right.nanodollars
  }

  /// The sum, or nil where it leaves the range: a caller refuses, it never wraps.
  public func adding(_ other: Money) -> Money? {
    let (sum, overflow) = nanodollars.addingReportingOverflow(other.nanodollars)
    return overflow ? nil : Money(nanodollars: sum)
  }

  /// The sum, held at the ends of the range. For ledger totals, where a clamped total still refuses
  /// every further call.
  public func addingClamped(_ other: Money) -> Money {
    Money(nanodollars: nanodollars.addingClamped(other.nanodollars))
  }

  /// Reads dollars from decimal text, exactly: `"12"`, `"0.000000001"`, `"2.50"`.
  ///
  /// Nil for signs, exponents, more than nine decimals that are not zero, or overflow.
  public init?(dollars text: some StringProtocol) {
    var whole: Int64 = 0
    var fraction: Int64 = 0
    var decimals = 0
    var digits = 0
    var seenPoint = false
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits += 1
        let digit = Int64(byte - UInt8(ascii: "0"))
        if !seenPoint {
          let (tens, over) = whole.multipliedReportingOverflow(by: 10)
          let (next, overflow) = tens.addingReportingOverflow(digit)
          if over || overflow { return nil }
          whole = next
        } else if decimals < 9 {
          fraction = fraction * 10 + digit
          decimals += 1
        } else if digit != 0 {
          return nil
        }
      case UInt8(ascii: ".") where !seenPoint:
        seenPoint = true
      default:
        return nil
      }
    }
    if digits == 0 { return nil }
    while decimals < 9 {
      fraction *= 10
      decimals += 1
    }
    let (scaled, over) = whole.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow) = scaled.addingReportingOverflow(fraction)
    if over || overflow { return nil }
    self.init(nanodollars: sum)
  }

  /// Dollars as decimal text, exact, at least two decimals: `"0.10"`, `"0.000000001"`, `"-3.00"`.
  public var dollarsText: String {
    let magnitude = nanodollars.magnitude
    var fraction = String(magnitude % 1_000_000_000)
    fraction = String(repeating: "0", count: 9 - fraction.count) + fraction
    while fraction.count > 2, fraction.hasSuffix("0") { fraction.removeLast() }
    return (nanodollars < 0 ? "-" : "") + String(magnitude / 1_000_000_000) + "." + fraction
  }
}

extension Int64 {
  /// The sum, held at the ends of the range: what comes from outside must neither trap nor wrap.
  @inlinable
  public func addingClamped(_ other: Int64) -> Int64 {
    let (sum, isOver) = addingReportingOverflow(other)
    return isOver ? (other > 0 ? .max : .min) : sum
  }
}
